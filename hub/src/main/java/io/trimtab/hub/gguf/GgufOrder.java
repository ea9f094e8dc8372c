package io.trimtab.hub.gguf;

import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The order of tensors in files that are written: what no block holds first, then block by block.
 */
final class GgufOrder {
  private static final Pattern BLOCK = Pattern.compile("blk\\.(\\d{1,6})\\..*");

  static final Comparator<String> BY_BLOCK =
      Comparator.comparingInt(GgufOrder::block).thenComparing(Comparator.naturalOrder());

  private GgufOrder() {}

  private static int block(String name) {
    Matcher matcher = BLOCK.matcher(name);
    return matcher.matches() ? Integer.parseInt(matcher.group(1)) : -1;
  }
}
