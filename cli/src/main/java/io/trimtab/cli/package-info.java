/**
 * The {@code trimtab} command: reads options, calls the rooms below, prints; no logic of its own.
 */
@NullMarked
package io.trimtab.cli;

import org.jspecify.annotations.NullMarked;
