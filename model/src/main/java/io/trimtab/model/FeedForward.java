package io.trimtab.model;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.util.List;
import java.util.SequencedMap;

/** The network that a block applies to each token alone. */
public sealed interface FeedForward
    permits FeedForward.Plain, FeedForward.Gated, FeedForward.FusedGate, Experts {
  /** [tokens, hidden] to [tokens, hidden]. */
  Tensor forward(Tensor input, Pass pass);

  /** The linear layers, in the order of computation. */
  List<Layer> layers();

  /** Adds where {@code ff.w1}, {@code ff.w2} and {@code ff.w3} are, as far as there are such. */
  void addPlaces(SequencedMap<String, Place> places);

  /** What to call the sublayer around it in the given block. */
  String sublayer(String block);

  /** Down(activation(up(x))). */
  record Plain(Linear up, Activation activation, Linear down) implements FeedForward {
    @Override
    public Tensor forward(Tensor input, Pass pass) {
      return down.forward(activation.apply(up.forward(input, pass)), pass);
    }

    @Override
    public List<Layer> layers() {
      return List.of(up, down);
    }

    @Override
    public void addPlaces(SequencedMap<String, Place> places) {
      places.put("ff.w1", Place.of(up));
      places.put("ff.w2", Place.of(down));
    }

    @Override
    public String sublayer(String block) {
      return Sublayer.pathOf(down, block);
    }
  }

  /** Down(activation(gate(x)) · up(x)): a gated linear unit (Shazeer, 2020, section 2). */
  record Gated(Linear gate, Linear up, Activation activation, Linear down) implements FeedForward {
    @Override
    public Tensor forward(Tensor input, Pass pass) {
      Tensor opening = gate.forward(input, pass);
      Tensor through = up.forward(input, pass);
      Tensor gated =
          Fused.knows(activation) && Fused.fits(opening, through)
              ? Fused.gate(activation, opening, through)
              : Arithmetic.multiply(activation.apply(opening), through);
      return down.forward(gated, pass);
    }

    @Override
    public List<Layer> layers() {
      return List.of(gate, up, down);
    }

    @Override
    public void addPlaces(SequencedMap<String, Place> places) {
      places.put("ff.w1", Place.of(gate));
      places.put("ff.w3", Place.of(up));
      places.put("ff.w2", Place.of(down));
    }

    @Override
    public String sublayer(String block) {
      return Sublayer.pathOf(down, block);
    }
  }

  /** The same where one layer gives the gate and then what it is multiplied by. */
  record FusedGate(Linear both, Activation activation, Linear down) implements FeedForward {
    private int inner() {
      return (int) both.weight().out() / 2;
    }

    @Override
    public Tensor forward(Tensor input, Pass pass) {
      List<Tensor> halves = Indexing.split(both.forward(input, pass), 1, inner(), inner());
      Tensor open = activation.apply(halves.get(0));
      return down.forward(Arithmetic.multiply(open, halves.get(1)), pass);
    }

    @Override
    public List<Layer> layers() {
      return List.of(both, down);
    }

    @Override
    public void addPlaces(SequencedMap<String, Place> places) {
      places.put("ff.w1", Place.of(both, 0, inner()));
      places.put("ff.w3", Place.of(both, inner(), inner()));
      places.put("ff.w2", Place.of(down));
    }

    @Override
    public String sublayer(String block) {
      return Sublayer.pathOf(down, block);
    }
  }
}
