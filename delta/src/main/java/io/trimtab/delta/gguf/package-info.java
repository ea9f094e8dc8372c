/** LoRA in the GGUF files that llama.cpp loads beside a model. */
@NullMarked
package io.trimtab.delta.gguf;

import org.jspecify.annotations.NullMarked;
