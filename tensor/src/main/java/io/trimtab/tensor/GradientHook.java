package io.trimtab.tensor;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Function;
import org.bytedeco.pytorch.Edge;
import org.bytedeco.pytorch.FunctionPreHook;
import org.bytedeco.pytorch.Node;
import org.bytedeco.pytorch.TensorVector;
import org.jspecify.annotations.Nullable;

/** Java code that the engine calls, once, with the gradient that enters a node of the graph. */
final class GradientHook extends FunctionPreHook {
  private static final ThreadLocal<@Nullable Pass> PASS = new ThreadLocal<>();

  private final Function<org.bytedeco.pytorch.Tensor, org.bytedeco.pytorch.Tensor> change;
  private final Scope.Callback kept;

  private GradientHook(
      Function<org.bytedeco.pytorch.Tensor, org.bytedeco.pytorch.Tensor> change,
      long node,
      Runnable unused) {
    this.change = change;
    this.kept = Scope.retainCallback(this, node, unused);
  }

  /**
   * Passes the gradient that enters {@code at}'s node through {@code change}.
   *
   * @param change from the gradient, which may be undefined, to what takes its place
   * @param unused what to do where no backward pass comes by before the outermost scope closes
   */
  static void add(
      org.bytedeco.pytorch.Tensor at,
      Function<org.bytedeco.pytorch.Tensor, org.bytedeco.pytorch.Tensor> change,
      Runnable unused) {
    Node node = at.grad_fn();
    node.add_pre_hook(new GradientHook(change, node.address(), unused));
  }

  /** Whether the backward pass of {@code result} goes through one of {@code nodes}. */
  static boolean actsBelow(Tensor result, Set<Long> nodes) {
    try (Scope _ = Scope.open()) {
      Deque<Node> open = new ArrayDeque<>();
      Set<Long> seen = new HashSet<>();
      Node next = result.requiresGradient() ? result.handle().grad_fn() : null;
      while (next != null) {
        if (!next.isNull() && seen.add(next.address())) {
          if (nodes.contains(next.address())) {
            return true;
          }
          for (int i = 0; i < next.num_outputs(); i++) {
            Edge edge = next.next_edge(i);
            if (edge.is_valid()) {
              open.push(edge.function());
            }
          }
        }
        next = open.poll();
      }
      return false;
    }
  }

  @Override
  public TensorVector apply(TensorVector gradients) {
    Pass pass = PASS.get();
    try (Scope _ = Scope.open()) {
      // Freed before the next node, not with the step's scope: else every dX would live that long.
      TensorVector result = new TensorVector(change.apply(gradients.get(0)));
      result.retainReference();
      if (pass != null) {
        pass.replace(result);
      }
      return result;
    } catch (RuntimeException e) {
      if (pass != null) {
        pass.failure = e; // all that survives the way through native code is its text
      }
      throw e;
    } finally {
      kept.release();
    }
  }

  /** Runs a backward pass in which hooks may be called on this thread. */
  static void during(Runnable backward) {
    Pass outer = PASS.get();
    Pass pass = new Pass();
    PASS.set(pass);
    try {
      backward.run();
    } catch (TensorException e) {
      throw pass.failure == null ? e : pass.failure;
    } finally {
      pass.replace(null);
      if (outer == null) {
        PASS.remove();
      } else {
        PASS.set(outer);
      }
    }
  }

  /** What one backward pass has to remember between its hooks. */
  private static final class Pass {
    private @Nullable TensorVector returned;
    private @Nullable RuntimeException failure;

    /** The engine has its own copy of what the previous hook returned by now. */
    void replace(@Nullable TensorVector next) {
      if (returned != null) {
        returned.close();
      }
      returned = next;
    }
  }
}
