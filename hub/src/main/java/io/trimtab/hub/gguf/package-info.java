/**
 * GGUF, the format of llama.cpp: one file with typed metadata, the tokenizer and tensors packed in
 * blocks. A model in such a file opens like a Hugging Face directory: its configuration, tokenizer
 * and tensor names are translated ({@link io.trimtab.hub.gguf.GgufModel}); the other way round,
 * {@link io.trimtab.hub.gguf.GgufExport} writes what llama.cpp loads.
 */
@NullMarked
package io.trimtab.hub.gguf;

import org.jspecify.annotations.NullMarked;
