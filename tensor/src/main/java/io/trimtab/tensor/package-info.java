/**
 * Tensors, scopes, element types, devices, random numbers and gradients. The only room that knows
 * libtorch; its binding shows in no public signature.
 *
 * <p><b>Values.</b> A {@link io.trimtab.tensor.Tensor} never changes once made; operators are
 * static methods sorted by kind and give new tensors. Only a {@link io.trimtab.tensor.Parameter} is
 * changed in place, by {@link io.trimtab.tensor.FusedAdamW} or {@code assign}.
 *
 * <p><b>Who owns memory.</b> A tensor belongs to the innermost {@link io.trimtab.tensor.Scope} that
 * is open on its thread when it is made, and is freed with it unless kept, which passes it to the
 * enclosing scope. Open a scope for every training step or request: without any, memory waits for
 * the garbage collector, which does not see its size. Views, gradients and graphs count references
 * to memory of their own accord, so freeing a tensor never pulls memory from under another. What is
 * used after its scope is a {@link io.trimtab.tensor.TensorException}. Parameters, optimizers and
 * what was kept without an enclosing scope live until closed. {@link
 * io.trimtab.tensor.Creation#borrow} reads mapped files in place and holds the mapping for as long
 * as anything uses it.
 *
 * <p><b>Gradients</b> are those of the engine. {@link io.trimtab.tensor.Gradients#custom} puts a
 * hand-written one in, for frozen weights that are stored in a form of their own; {@link
 * io.trimtab.tensor.FiniteDifferences} judges all of them.
 *
 * <p><b>Threads.</b> A scope and a random source belong to one thread; tensors may be read by any
 * thread for as long as their scope is open. Operators use {@link
 * io.trimtab.tensor.Engine#setThreads} threads inside; making a tensor takes a lock of the whole
 * process, so that a few threads with much work each go further than many with little.
 *
 * <p><b>Errors.</b> Whatever the engine refuses comes as a {@code TensorException} of one line that
 * names the operator and its operands; the engine's own message, native stack and all, is its
 * cause.
 *
 * <p><b>Devices.</b> Random numbers are drawn on the CPU and moved, so that devices agree on them.
 * CUDA needs a build with its natives and is untested.
 */
@NullMarked
package io.trimtab.tensor;

import org.jspecify.annotations.NullMarked;
