/**
 * LoHa: the product, number by number, of two low-rank matrices (Hyeon-Woo, Ye-Bin and Oh,
 * "FedPara: Low-Rank Hadamard Product for Communication-Efficient Federated Learning", 2021).
 */
@NullMarked
package io.trimtab.delta.loha;

import org.jspecify.annotations.NullMarked;
