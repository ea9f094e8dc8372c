/**
 * The local registry of deltas: each kept once under the hash of its files, with where it comes
 * from, how good it is and what it may be used for, found again by name, and verified.
 */
@NullMarked
package io.trimtab.delta.registry;

import org.jspecify.annotations.NullMarked;
