package io.trimtab.model;

import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/** The linear layers that make queries, keys and values of a block's input. */
public sealed interface Projections {
  /**
   * What attention needs of each token.
   *
   * @param query [tokens or wanted tokens, heads · size]
   * @param key [tokens, key heads · size]
   * @param value [tokens, key heads · size]
   */
  record Made(Tensor query, Tensor key, Tensor value) {}

  /**
   * Queries, keys and values.
   *
   * @param input [tokens, hidden]
   * @param wanted the only tokens that are queries, or null for all
   */
  Made of(Tensor input, Pass pass, @Nullable Positions wanted);

  /** The linear layers. */
  List<Layer> layers();

  /** Adds where {@code attn.q}, {@code attn.k} and {@code attn.v} are. */
  void addPlaces(SequencedMap<String, Place> places);

  /** The tokens that are wanted; all where that is null. */
  static Tensor chosen(Tensor tokens, @Nullable Positions wanted) {
    return wanted == null ? tokens : Indexing.select(tokens, 0, wanted.indices(tokens.device()));
  }

  /** Three layers. */
  record Separate(Linear query, Linear key, Linear value) implements Projections {
    @Override
    public Made of(Tensor input, Pass pass, @Nullable Positions wanted) {
      Pass reading = wanted == null ? pass : pass.at(wanted);
      return new Made(
          query.forward(chosen(input, wanted), reading),
          key.forward(input, pass),
          value.forward(input, pass));
    }

    @Override
    public List<Layer> layers() {
      return List.of(query, key, value);
    }

    @Override
    public void addPlaces(SequencedMap<String, Place> places) {
      places.put("attn.q", Place.of(query));
      places.put("attn.k", Place.of(key));
      places.put("attn.v", Place.of(value));
    }
  }

  /**
   * One layer that gives all queries, then all keys, then all values.
   *
   * @param keySize how many of its outputs are keys, and values
   */
  record Fused(Linear all, int keySize) implements Projections {
    private int querySize() {
      return (int) all.weight().out() - 2 * keySize;
    }

    @Override
    public Made of(Tensor input, Pass pass, @Nullable Positions wanted) {
      List<Tensor> parts =
          Indexing.split(all.forward(input, pass), 1, querySize(), keySize, keySize);
      return new Made(chosen(parts.get(0), wanted), parts.get(1), parts.get(2));
    }

    @Override
    public List<Layer> layers() {
      return List.of(all);
    }

    @Override
    public void addPlaces(SequencedMap<String, Place> places) {
      places.put("attn.q", Place.of(all, 0, querySize()));
      places.put("attn.k", Place.of(all, querySize(), keySize));
      places.put("attn.v", Place.of(all, querySize() + keySize, keySize));
    }
  }

  /** One layer that gives the query, key and value of the first head, then of the second … */
  record Interleaved(Linear all, int heads) implements Projections {
    private int size() {
      return (int) all.weight().out() / heads / 3;
    }

    @Override
    public Made of(Tensor input, Pass pass, @Nullable Positions wanted) {
      int size = size();
      long tokens = input.size(0);
      Tensor perHead = all.forward(input, pass).reshape(tokens, heads, 3L * size);
      List<Tensor> parts = Indexing.split(perHead, 2, size, size, size);
      long all = (long) heads * size;
      return new Made(
          chosen(parts.get(0).reshape(tokens, all), wanted),
          parts.get(1).reshape(tokens, all),
          parts.get(2).reshape(tokens, all));
    }

    @Override
    public List<Layer> layers() {
      return List.of(all);
    }

    @Override
    public void addPlaces(SequencedMap<String, Place> places) {
      int size = size();
      places.put("attn.q", Place.ofPieces(all, 0, size, 3 * size));
      places.put("attn.k", Place.ofPieces(all, size, size, 3 * size));
      places.put("attn.v", Place.ofPieces(all, 2 * size, size, 3 * size));
    }
  }
}
