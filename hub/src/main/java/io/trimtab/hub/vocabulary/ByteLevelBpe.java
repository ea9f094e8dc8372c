package io.trimtab.hub.vocabulary;

import io.trimtab.hub.HubException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Byte-pair encoding over bytes that are spelled as printable characters, as GPT-2 began it. */
public final class ByteLevelBpe {
  private ByteLevelBpe() {}

  /**
   * What {@code tokenizer.json} would say.
   *
   * @param pieces the vocabulary
   * @param merges pairs of pieces with a blank between, the first to be merged first
   * @param preTokenizer the name of the way in which texts are cut, see {@link PreTokenizer#of}
   * @param frame what is put around a text
   * @throws HubException.Unsupported for a way that is not known
   */
  public static Map<String, @Nullable Object> json(
      Pieces pieces, List<String> merges, String preTokenizer, Frame frame) {
    PreTokenizer cutting = PreTokenizer.of(preTokenizer);
    for (String merge : merges) {
      int blank = merge.indexOf(' ');
      if (blank < 1 || blank == merge.length() - 1 || merge.indexOf(' ', blank + 1) >= 0) {
        throw new HubException.Malformed(
            "a merge is \"" + merge + "\"; expected two pieces with a blank between");
      }
    }
    Map<String, @Nullable Object> model = new LinkedHashMap<>();
    model.put("type", "BPE");
    model.put("dropout", null);
    model.put("unk_token", null);
    model.put("continuing_subword_prefix", null);
    model.put("end_of_word_suffix", null);
    model.put("fuse_unk", false);
    model.put("byte_fallback", false);
    model.put("ignore_merges", PreTokenizer.takesWholeWords(preTokenizer));
    model.put("vocab", pieces.ids());
    model.put("merges", merges);
    return pieces.document(
        null, cutting.json(), frame.postProcessor(pieces), PreTokenizer.byteLevel(), model);
  }
}
