package io.trimtab.hub;

/** Is told how the fetching of a model goes on. Calls come from the thread that asked for it. */
@FunctionalInterface
public interface Progress {
  /** Tells nobody. */
  Progress NONE = (file, done, total) -> {};

  /**
   * Some bytes have arrived.
   *
   * @param file the name of the file
   * @param done how many of its bytes are here, those of an earlier, broken transfer included
   * @param total how many it has, or -1 where the source does not say
   */
  void update(String file, long done, long total);
}
