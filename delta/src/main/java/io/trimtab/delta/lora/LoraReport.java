package io.trimtab.delta.lora;

/**
 * How well a LoRA stands for a change of weights at one layer.
 *
 * @param path the layer
 * @param rank the rank that it has there
 * @param energy the share of the squared singular values that a decomposition kept; 1 where nothing
 *     was decomposed
 * @param distance ‖LoRA − change‖ / ‖change‖ by Frobenius' norm: 0 where it is the same
 */
public record LoraReport(String path, int rank, double energy, double distance) {}
