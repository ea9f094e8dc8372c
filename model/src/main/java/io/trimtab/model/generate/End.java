package io.trimtab.model.generate;

/** Why a text ended. */
public enum End {
  /** The model made a token that ends texts. */
  TOKEN,
  /** A text to stop at came, or whoever watched wanted no more. */
  STOP,
  /** It has as many tokens as were asked for, or as the model has positions. */
  LENGTH
}
