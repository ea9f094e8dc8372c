package io.trimtab.model;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The sum of word, position and segment vectors, where there are such, normalised and projected
 * where a model does that.
 */
public final class Embeddings extends Layer {
  private final Embedding words;
  private final @Nullable Embedding positions;
  private final @Nullable Embedding types;
  private final @Nullable Norm norm;
  private final @Nullable Linear projection;
  private final int firstPosition;
  private final double wordScale;
  private final Site<Patch.Inserted> amongWords;

  /**
   * Embeddings of the given parts.
   *
   * @param positions a table of positions, or null where attention knows them
   * @param types a table of token types, or null where there are none
   * @param norm of the sum, or null where the first block norms it
   * @param projection from the embeddings' size to the hidden size, or null where they are the same
   * @param firstPosition the row of the position table for a row's first token: 0, or 2 in RoBERTa
   */
  public Embeddings(
      String path,
      Embedding words,
      @Nullable Embedding positions,
      @Nullable Embedding types,
      @Nullable Norm norm,
      @Nullable Linear projection,
      int firstPosition) {
    this(path, words, positions, types, norm, projection, firstPosition, 1, words.path());
  }

  /**
   * Embeddings without a norm, as most decoders have them.
   *
   * @param positions a table of positions, or null where they are rotated
   * @param firstPosition the row of the position table for a row's first token: 0, or 2 in OPT
   * @param wordScale what words' vectors are multiplied by: 1, or √hidden in Gemma
   */
  public static Embeddings plain(
      String path,
      Embedding words,
      @Nullable Embedding positions,
      int firstPosition,
      double wordScale) {
    return new Embeddings(
        path, words, positions, null, null, null, firstPosition, wordScale, words.path());
  }

  /**
   * Embeddings of a stack that shares its words' table with another one.
   *
   * @param wordsPath what the table is called in this stack alone: patches put vectors among words
   *     there
   * @param positions a table of positions, or null where attention knows them
   * @param norm of the sum, or null
   * @param firstPosition the row of the position table for a row's first token: 2 in BART
   * @param wordScale what words' vectors are multiplied by
   */
  public static Embeddings sharing(
      String path,
      Embedding words,
      String wordsPath,
      @Nullable Embedding positions,
      @Nullable Norm norm,
      int firstPosition,
      double wordScale) {
    return new Embeddings(
        path, words, positions, null, norm, null, firstPosition, wordScale, wordsPath);
  }

  private Embeddings(
      String path,
      Embedding words,
      @Nullable Embedding positions,
      @Nullable Embedding types,
      @Nullable Norm norm,
      @Nullable Linear projection,
      int firstPosition,
      double wordScale,
      String wordsPath) {
    super(path);
    this.words = words;
    this.positions = positions;
    this.types = types;
    this.norm = norm;
    this.projection = projection;
    this.firstPosition = firstPosition;
    this.wordScale = wordScale;
    amongWords = Site.inserted(wordsPath);
  }

  /** The word table. */
  public Embedding words() {
    return words;
  }

  /** The position table, where there is one. */
  public Optional<Embedding> positions() {
    return Optional.ofNullable(positions);
  }

  /** The number of tokens a row can have; none where positions are not embedded. */
  public java.util.OptionalInt maximumLength() {
    return positions == null
        ? java.util.OptionalInt.empty()
        : java.util.OptionalInt.of(positions.rows() - firstPosition);
  }

  /**
   * How many positions the vectors take that patches put into a row: among the words, and, where
   * positions are not embedded but known to attention, among the results too.
   */
  public int inserted(Patches patches) {
    Patch.Inserted words = patches.at(amongWords);
    Patch.Inserted results = positions == null ? patches.at(Site.inserted(path())) : null;
    return (words == null ? 0 : words.count()) + (results == null ? 0 : results.count());
  }

  /**
   * What the embeddings give.
   *
   * @param hidden [tokens, hidden], with the vectors that patches put in
   * @param pass the pass over these
   * @param words what was put among the words' vectors
   * @param results what was put among the results
   */
  record Embedded(Tensor hidden, Pass pass, Insertion words, Insertion results) {
    /** Where tokens of the batch are now; null for all where nothing was put in. */
    @Nullable Positions moved(@Nullable Positions wanted, Layout batch) {
      if (words.isNothing() && results.isNothing()) {
        return wanted;
      }
      return results.moved(words.moved(wanted == null ? Positions.all(batch) : wanted));
    }
  }

  /** The batch's tokens as vectors. */
  Embedded forward(Batch batch, Pass pass) {
    Insertion inWords = Insertion.of(amongWords, pass);
    Pass longer = inWords.pass();
    check(batch, longer);
    Device device = words.weight().device();
    Tensor vectors = words.forward(batch.ids(device), pass);
    Tensor sum = inWords.into(wordScale == 1 ? vectors : Arithmetic.multiply(vectors, wordScale));
    if (types != null) {
      sum = Arithmetic.add(sum, types.forward(longs(inWords.into(batch.types())), longer));
    }
    if (positions != null) {
      Tensor at = longs(numbers(longer));
      sum = Arithmetic.add(sum, positions.forward(at, longer));
    }
    Tensor normed = norm == null ? sum : norm.forward(sum, longer);
    Tensor projected = projection == null ? normed : projection.forward(normed, longer);
    Tensor result = longer.output(Site.output(path()), projected, projected);
    Insertion amongResults = Insertion.of(Site.inserted(path()), longer);
    return new Embedded(amongResults.into(result), amongResults.pass(), inWords, amongResults);
  }

  private Tensor longs(long[] values) {
    return Creation.longs(values, values.length).to(words.weight().device());
  }

  /** Which row of the position table each token has. */
  private long[] numbers(Pass pass) {
    long[] numbers = new long[pass.layout().tokens()];
    int next = 0;
    for (int row = 0; row < pass.layout().rows(); row++) {
      for (int position : pass.positions(row)) {
        numbers[next++] = (long) position + firstPosition;
      }
    }
    return numbers;
  }

  private void check(Batch batch, Pass pass) {
    int limit = maximumLength().orElse(Integer.MAX_VALUE);
    int vocabulary = words.rows();
    int kinds = types == null ? Integer.MAX_VALUE : types.rows();
    for (int row = 0; row < pass.layout().rows(); row++) {
      if (pass.rowLength(row) > limit) {
        throw new ModelException(
            "found a row of "
                + pass.rowLength(row)
                + " tokens, expected at most "
                + limit
                + ", which is what this model has positions for; truncate the text");
      }
    }
    for (Batch.Row row : batch.rows()) {
      for (int id : row.ids()) {
        if (id < 0 || id >= vocabulary) {
          throw new ModelException(
              "found token number "
                  + id
                  + ", expected 0 to "
                  + (vocabulary - 1)
                  + "; encode with this model's own tokenizer");
        }
      }
      for (int type : row.types()) {
        if (type < 0 || type >= kinds) {
          throw new ModelException(
              "found token type " + type + ", expected 0 to " + (kinds - 1) + " for this model");
        }
      }
    }
  }

  @Override
  public List<Site<?>> sites() {
    return List.of(Site.output(path()), Site.inserted(path()), amongWords);
  }

  @Override
  public List<Layer> children() {
    List<Layer> children = new ArrayList<>();
    children.add(words);
    if (positions != null) {
      children.add(positions);
    }
    if (types != null) {
      children.add(types);
    }
    if (norm != null) {
      children.add(norm);
    }
    if (projection != null) {
      children.add(projection);
    }
    return List.copyOf(children);
  }
}
