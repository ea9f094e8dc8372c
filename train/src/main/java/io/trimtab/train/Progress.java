package io.trimtab.train;

/** What a long job tells those who wait for it. */
public interface Progress extends AutoCloseable {
  /** Called after every step. */
  void step(Step step);

  /** Called with a line worth keeping, such as a score on the development data. */
  void note(String line);

  /** Called once at the end, also after an error. */
  @Override
  void close();

  /**
   * Where a training run stands.
   *
   * @param epoch the current epoch, from 1
   * @param epochs the number of epochs
   * @param step steps done, from 1, over all epochs
   * @param steps steps to do in all
   * @param loss the loss of this step
   * @param tokens tokens seen since this process began to train, without padding
   */
  record Step(int epoch, int epochs, long step, long steps, double loss, long tokens) {}

  /** Tells nobody. */
  static Progress none() {
    return new Progress() {
      @Override
      public void step(Step step) {}

      @Override
      public void note(String line) {}

      @Override
      public void close() {}
    };
  }
}
