package io.trimtab.hub;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * {@link Tokenizer} over the Hugging Face tokenizers library, by way of DJL's binding. Truncation
 * is done here and not by the library, which keeps it as a state of the tokenizer that all threads
 * share.
 */
final class HuggingFaceTokenizers implements Tokenizer {
  private static final int CHUNK = 512;

  private final HuggingFaceTokenizer tokenizer;
  private final String name;
  private final Map<String, @Nullable Object> config;
  // Closing waits for calls under way: a freed handle would crash the process, not throw.
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private final byte[] json;
  private @Nullable Vocabulary vocabulary;
  // The same without special tokens among those that are looked for in texts; made when asked for.
  private @Nullable HuggingFaceTokenizer unaware;

  /**
   * @param json the text of a {@code tokenizer.json}
   * @param name what error messages call it
   * @param config the fields of {@code tokenizer_config.json}; may be empty
   */
  HuggingFaceTokenizers(byte[] json, String name, Map<String, @Nullable Object> config) {
    this.json = json;
    this.name = name;
    this.config = config;
    this.tokenizer = load(json, name);
  }

  private static HuggingFaceTokenizer load(byte[] json, String name) {
    requireNative();
    // Without this, a machine with CUDA makes the library fetch another build from the internet.
    if (System.getenv("RUST_FLAVOR") == null && System.getProperty("RUST_FLAVOR") == null) {
      System.setProperty("RUST_FLAVOR", "cpu");
    }
    Map<String, String> options =
        Map.of("truncation", "false", "padding", "false", "addSpecialTokens", "true");
    try {
      return HuggingFaceTokenizer.newInstance(
          new ByteArrayInputStream(json), new java.util.HashMap<>(options));
    } catch (IOException | RuntimeException e) {
      throw new HubException.Malformed(
          "cannot build a tokenizer from " + name + ": " + e.getMessage(), e);
    }
  }

  /** The library would try to download what its jar lacks; Trimtab says so instead. */
  private static void requireNative() {
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String machine = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    String os = system.startsWith("win") ? "win" : system.startsWith("mac") ? "osx" : "linux";
    String arch =
        machine.equals("amd64") ? "x86_64" : machine.equals("arm64") ? "aarch64" : machine;
    String file =
        os.equals("win")
            ? "tokenizers.dll"
            : os.equals("osx") ? "libtokenizers.dylib" : "libtokenizers.so";
    String resource = "native/lib/" + os + "-" + arch + "/cpu/" + file;
    if (HuggingFaceTokenizer.class.getClassLoader().getResource(resource) == null
        && System.getenv("RUST_LIBRARY_PATH") == null
        && System.getProperty("RUST_LIBRARY_PATH") == null) {
      throw new HubException.Unsupported(
          "the tokenizers library has no build for "
              + os
              + "-"
              + arch
              + "; expected one of linux-x86_64, linux-aarch64, osx-aarch64, win-x86_64, or a build"
              + " of your own named by RUST_LIBRARY_PATH");
    }
  }

  @Override
  public Encoding encode(String text, EncodeOptions options) {
    String clean = wellFormed(text);
    return Truncation.apply(
        locked(
            () ->
                convert(
                    library(options).encode(clean, options.addSpecialTokens(), false), text, "")),
        options);
  }

  @Override
  public Encoding encode(String first, String second, EncodeOptions options) {
    String a = wellFormed(first);
    String b = wellFormed(second);
    return Truncation.apply(
        locked(
            () ->
                convert(
                    library(options).encode(a, b, options.addSpecialTokens(), false),
                    first,
                    second)),
        options);
  }

  @Override
  public List<Encoding> encodeAll(List<String> texts, EncodeOptions options) {
    List<Encoding> out = new ArrayList<>(texts.size());
    for (int from = 0; from < texts.size(); from += CHUNK) {
      List<String> chunk = texts.subList(from, Math.min(texts.size(), from + CHUNK));
      List<String> clean = chunk.stream().map(HuggingFaceTokenizers::wellFormed).toList();
      locked(
          () -> {
            var encodings = library(options).batchEncode(clean, options.addSpecialTokens(), false);
            for (int i = 0; i < encodings.length; i++) {
              out.add(Truncation.apply(convert(encodings[i], chunk.get(i), ""), options));
            }
            return out;
          });
    }
    return out;
  }

  private static Encoding convert(
      ai.djl.huggingface.tokenizers.Encoding from, String first, String second) {
    int n = from.getIds().length;
    int[] sequences = new int[n];
    boolean[] special = new boolean[n];
    int[] starts = new int[n];
    int[] ends = new int[n];
    long[] sequenceIds = from.getSequenceIds();
    long[] mask = from.getSpecialTokenMask();
    @Nullable CharSpan[] spans = from.getCharTokenSpans();
    int @Nullable [] firstIndex = utf16(first);
    int @Nullable [] secondIndex = utf16(second);
    for (int i = 0; i < n; i++) {
      special[i] = mask[i] != 0;
      sequences[i] = special[i] ? -1 : Math.max(0, (int) sequenceIds[i]);
      CharSpan span = spans[i];
      if (span != null && !special[i]) {
        int @Nullable [] index = sequences[i] == 1 ? secondIndex : firstIndex;
        starts[i] = index == null ? span.getStart() : index[span.getStart()];
        ends[i] = index == null ? span.getEnd() : index[span.getEnd()];
      }
    }
    return new Encoding(
        narrow(from.getIds()),
        narrow(from.getTypeIds()),
        special,
        sequences,
        starts,
        ends,
        from.getTokens());
  }

  /** Where each code point begins in the string; null where every code point is one char. */
  private static int @Nullable [] utf16(String text) {
    int points = text.codePointCount(0, text.length());
    if (points == text.length()) {
      return null;
    }
    int[] index = new int[points + 1];
    int at = 0;
    for (int i = 0; i < points; i++) {
      index[i] = at;
      at += Character.charCount(text.codePointAt(at));
    }
    index[points] = at;
    return index;
  }

  /** A half of a surrogate pair is no character; it becomes the replacement character. */
  private static String wellFormed(String text) {
    StringBuilder out = null;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (!Character.isSurrogate(c)) {
        continue;
      }
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else {
        out = out == null ? new StringBuilder(text) : out;
        out.setCharAt(i, '\uFFFD');
      }
    }
    return out == null ? text : out.toString();
  }

  private static int[] narrow(long[] values) {
    int[] out = new int[values.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (int) values[i];
    }
    return out;
  }

  @Override
  public OptionalInt tokenId(String token) {
    return vocabulary().id(token);
  }

  @Override
  public String token(int id) {
    return vocabulary().token(id);
  }

  @Override
  public String decode(int[] ids, boolean skipSpecial) {
    long[] wide = new long[ids.length];
    for (int i = 0; i < ids.length; i++) {
      // The library leaves unknown numbers out without a word.
      wide[i] = vocabulary().checked(ids[i]);
    }
    return locked(() -> tokenizer.decode(wide, skipSpecial));
  }

  @Override
  public Optional<String> special(SpecialToken role) {
    String named = TokenizerJson.name(config, role, "");
    if (!named.isEmpty() && vocabulary().id(named).isPresent()) {
      return Optional.of(named);
    }
    return vocabulary().customary(role);
  }

  @Override
  public int vocabularySize() {
    return vocabulary().size();
  }

  private synchronized Vocabulary vocabulary() {
    Vocabulary known = vocabulary;
    if (known == null) {
      known = Vocabulary.parse(json, name);
      vocabulary = known;
    }
    return known;
  }

  private HuggingFaceTokenizer library(EncodeOptions options) {
    return options.specialAsText() ? unaware() : tokenizer;
  }

  private synchronized HuggingFaceTokenizer unaware() {
    HuggingFaceTokenizer known = unaware;
    if (known == null) {
      known = load(PlainTexts.json(json, name), name);
      unaware = known;
    }
    return known;
  }

  private <T> T locked(Supplier<T> call) {
    lock.readLock().lock();
    try {
      if (tokenizer.isReleased()) {
        throw new IllegalStateException("the tokenizer of " + name + " is closed");
      }
      return call.get();
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      tokenizer.close();
      closeUnaware();
    } finally {
      lock.writeLock().unlock();
    }
  }

  private synchronized void closeUnaware() {
    if (unaware != null) {
      unaware.close();
    }
  }

  @Override
  public String toString() {
    return "Tokenizer[" + name + "]";
  }
}
