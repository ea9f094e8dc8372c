package io.trimtab.model;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;

/**
 * A sparse mixture of feed-forward networks (Jiang et al., 2024, "Mixtral of Experts", section
 * 2.1): a router sends each token to the few experts that it scores highest, and what these give is
 * summed with the softmax of those scores. An expert, and a patch in it, sees its own tokens alone;
 * its pass says which these are.
 *
 * @param path of the module that holds the router and the experts
 * @param router hidden to one score an expert
 * @param experts all alike
 * @param chosen how many of them each token goes to
 */
public record Experts(String path, Linear router, List<FeedForward> experts, int chosen)
    implements FeedForward {
  /** Checks that so many can be chosen. */
  public Experts {
    experts = List.copyOf(experts);
    if (chosen < 1 || chosen > experts.size()) {
      throw new ModelException(
          "found "
              + chosen
              + " of "
              + experts.size()
              + " experts for each token in "
              + path
              + ", expected 1 to as many as there are; correct num_experts_per_tok");
    }
  }

  @Override
  public Tensor forward(Tensor input, Pass pass) {
    Tensor scores = Neural.softmax(AttentionKernel.wide(router.forward(input, pass)), 1);
    Reduction.Top top = Reduction.top(scores, chosen);
    Tensor total = Indexing.unsqueeze(Reduction.sum(top.values(), 1), 1);
    Tensor shares = Arithmetic.divide(top.values(), total).to(input.dtype());
    long[] sentTo = top.indices().toLongs();
    Tensor flat = shares.reshape(input.size(0) * chosen, 1);
    Tensor sum = Creation.zeros(input.dtype(), input.device(), input.shape());
    for (int expert = 0; expert < experts.size(); expert++) {
      Sent sent = Sent.to(expert, sentTo, chosen, pass);
      if (sent.tokens().layout().tokens() > 0) {
        Tensor at = sent.tokens().indices(input.device());
        Tensor share = Indexing.select(flat, 0, sent.shares().to(input.device()));
        Tensor own =
            experts.get(expert).forward(Indexing.select(input, 0, at), pass.at(sent.tokens()));
        sum = Indexing.addRows(sum, at, Arithmetic.multiply(own, share));
      }
    }
    return sum;
  }

  /**
   * What one expert gets.
   *
   * @param tokens which of the tokens at hand
   * @param shares where their shares are among all, token after token, I64 [tokens]
   */
  private record Sent(Positions tokens, Tensor shares) {
    static Sent to(int expert, long[] sentTo, int chosen, Pass pass) {
      Layout layout = pass.layout();
      int[][] perRow = new int[layout.rows()][];
      List<Long> shares = new ArrayList<>();
      for (int row = 0; row < layout.rows(); row++) {
        List<Integer> own = new ArrayList<>();
        for (int i = 0; i < layout.length(row); i++) {
          int first = (layout.start(row) + i) * chosen;
          for (int j = first; j < first + chosen; j++) {
            if (sentTo[j] == expert) {
              own.add(i);
              shares.add((long) j);
            }
          }
        }
        perRow[row] = own.stream().mapToInt(i -> i).toArray();
      }
      long[] at = shares.stream().mapToLong(i -> i).toArray();
      return new Sent(Positions.of(perRow, layout), Creation.longs(at, at.length));
    }
  }

  @Override
  public List<Layer> layers() {
    List<Layer> layers = new ArrayList<>(List.of(router));
    experts.forEach(expert -> layers.addAll(expert.layers()));
    return List.copyOf(layers);
  }

  /** None: no one layer is what others have as {@code ff.w1} and so on. */
  @Override
  public void addPlaces(SequencedMap<String, Place> places) {}

  @Override
  public String sublayer(String block) {
    return path;
  }
}
