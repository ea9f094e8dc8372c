package io.trimtab.tensor;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.jspecify.annotations.Nullable;

/**
 * Frees every tensor that its thread makes while it is the innermost open scope, but those kept.
 *
 * <pre>{@code
 * try (var scope = Scope.open()) {
 *   Tensor product = LinearAlgebra.matmul(a, b);
 *   return scope.keep(Reduction.sum(product)); // survives; product does not
 * }
 * }</pre>
 *
 * A kept tensor passes to the enclosing scope; where there is none it lives until it is {@linkplain
 * Tensor#close() closed} (or, as a last resort, unreachable). A scope belongs to the thread that
 * opened it. Freeing a tensor that a gradient still needs is safe: the gradient's graph holds its
 * own reference to the memory.
 */
public final class Scope implements AutoCloseable {
  private static final ThreadLocal<@Nullable Scope> INNERMOST = new ThreadLocal<>();

  private final @Nullable Scope parent;
  private final PointerScope pointers;
  private final Thread owner = Thread.currentThread();

  /** By identity: equality of the binding's objects is that of their addresses. */
  private final Set<Callback> retained = Collections.newSetFromMap(new IdentityHashMap<>());

  private boolean open = true;

  private Scope() {
    Native.touch();
    parent = INNERMOST.get();
    pointers = new PointerScope();
    INNERMOST.set(this);
  }

  /** Opens a scope on this thread, inside the one that is open now. */
  public static Scope open() {
    return new Scope();
  }

  /** Runs {@code work} in a scope of its own and keeps only the tensor it returns. */
  public static Tensor of(Supplier<Tensor> work) {
    try (Scope scope = open()) {
      return scope.keep(work.get());
    }
  }

  /**
   * Lets {@code tensor} outlive this scope: it passes to the enclosing one. Returns it.
   *
   * @throws TensorException where there is no enclosing one and the backward pass of {@code tensor}
   *     would call what this scope holds (see {@link Gradients#custom})
   */
  public Tensor keep(Tensor tensor) {
    check();
    Pointer pointer = tensor.handle();
    // This scope gives its own reference up when it closes; one more is all that survival takes.
    if (parent == null) {
      checkNothingCallsBack(tensor);
      pointer.retainReference();
    } else {
      parent.pointers.attach(pointer);
    }
    return tensor;
  }

  /** Lets all of {@code tensors} outlive this scope. Returns them. */
  public <C extends Iterable<Tensor>> C keepAll(C tensors) {
    tensors.forEach(this::keep);
    return tensors;
  }

  /** Java objects go with the outermost scope; a graph that still calls one would crash. */
  private void checkNothingCallsBack(Tensor tensor) {
    if (retained.isEmpty()) {
      return;
    }
    Set<Long> nodes = retained.stream().map(Callback::node).collect(Collectors.toSet());
    if (GradientHook.actsBelow(tensor, nodes)) {
      throw new TensorException(
          "found a result with a gradient of its own kept beyond the outermost Scope, which holds"
              + " that gradient's code, expected it inside; open one Scope around the forward and"
              + " backward pass, or keep result.detach()");
    }
  }

  /**
   * A Java object that native code may still call, held until it is released.
   *
   * @param node the address of the node of a gradient's graph that calls it
   * @param unused what to do where it was not called before the outermost scope closes
   */
  record Callback(Object target, long node, Scope holder, Runnable unused) {
    void release() {
      holder.retained.remove(this);
    }
  }

  /**
   * Holds a Java object that native code calls back until it is released or the outermost scope of
   * this thread closes, which is after any backward pass over a graph built inside.
   */
  static Callback retainCallback(Object target, long node, Runnable unused) {
    Scope scope = INNERMOST.get();
    if (scope == null) {
      throw new TensorException(
          "found no open Scope around an operator with a gradient of its own; open one around the"
              + " forward and backward pass");
    }
    while (scope.parent != null) {
      scope = scope.parent;
    }
    Callback callback = new Callback(target, node, scope, unused);
    scope.retained.add(callback);
    return callback;
  }

  private void check() {
    if (!open || Thread.currentThread() != owner) {
      throw new TensorException(
          "found a Scope that is closed or belongs to another thread, expected the one that this"
              + " thread opened; keep tensors before the scope closes");
    }
  }

  /** Frees all that was made inside and not kept. Scopes close in the reverse order of opening. */
  @Override
  public void close() {
    if (!open) {
      return;
    }
    check();
    if (INNERMOST.get() != this) {
      throw new TensorException(
          "found a Scope closed before one that was opened inside it; close inner scopes first"
              + " (try-with-resources does)");
    }
    open = false;
    if (parent == null) {
      INNERMOST.remove();
    } else {
      INNERMOST.set(parent);
    }
    pointers.close();
    retained.forEach(callback -> callback.unused().run());
    retained.clear();
  }
}
