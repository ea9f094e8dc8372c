package io.trimtab.tensor;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Edge;
import org.bytedeco.pytorch.FunctionPreHook;
import org.bytedeco.pytorch.Node;
import org.bytedeco.pytorch.TensorVector;
import org.jspecify.annotations.Nullable;

/** Java code that the engine calls, once, with the gradient that enters a node of the graph. */
final class GradientHook extends FunctionPreHook {
  private static final ThreadLocal<@Nullable Pass> PASS = new ThreadLocal<>();

  private @Nullable UnaryOperator<Tensor> change;
  private final Scope.Callback kept;

  private GradientHook(UnaryOperator<Tensor> change, Runnable free, long node) {
    this.change = change;
    this.kept = Scope.retainCallback(this, node, free);
  }

  /**
   * Passes the gradient that enters {@code at}'s node through {@code change}, once.
   *
   * @param free gives up what that needs: called after it, or when the outermost scope closes
   */
  static void add(org.bytedeco.pytorch.Tensor at, UnaryOperator<Tensor> change, Runnable free) {
    Node node = at.grad_fn();
    node.add_pre_hook(new GradientHook(change, free, node.address()));
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
    UnaryOperator<Tensor> own = change;
    change = null;
    try (Scope _ = Scope.open()) {
      if (own == null) {
        throw new TensorException(
            "found a second backward pass through a result with a gradient of its own, expected"
                + " one, which has freed what it needs; add the losses up before the backward pass,"
                + " or compute the result anew");
      }
      // Freed before the next node, not with the step's scope: else every dX would live that long.
      TensorVector result = new TensorVector(own.apply(Tensor.of(gradients.get(0))).handle());
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
