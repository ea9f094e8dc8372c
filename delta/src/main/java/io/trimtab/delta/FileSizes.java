package io.trimtab.delta;

import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.TensorFile;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Sizes that settings name, held against the tensors beside them: whatever has a size has at least
 * as many numbers, so that settings which no file of its length can fill are refused before memory
 * is taken for them.
 *
 * @param numbers how many numbers the file has
 */
public record FileSizes(long numbers) {
  private static final List<String> FACTORS =
      List.of("reduction_factor", "inv_adapter_reduction_factor");

  /** A number at the end of an entry. */
  private static final Pattern NUMBER =
      Pattern.compile("-?\\d+(\\.\\d*)?([eE][+-]?\\d+)?(?=\\s*(,|$))");

  /** Of all tensors of a file. */
  public static FileSizes of(TensorFile file) {
    return new FileSizes(
        file.names().stream()
            .mapToLong(name -> Arrays.stream(file.info(name).shape()).reduce(1, (a, b) -> a * b))
            .sum());
  }

  /**
   * Refuses sizes of more than the file's numbers.
   *
   * @param fields those that hold a size where they hold a number
   */
  public void check(ModelConfig config, Collection<String> fields) {
    for (String field : fields) {
      if (config.isNumber(field)) {
        check(config, field, config.decimal(field), config.decimal(field));
      }
    }
  }

  /**
   * Refuses reduction factors, one or one a block, that give more than the file's numbers.
   *
   * @param hidden the size that is divided by them
   */
  public void checkReduced(ModelConfig config, long hidden) {
    for (String field : FACTORS) {
      if (config.has(field)) {
        factors(config, field)
            .forEach(factor -> check(config, field, factor, (double) hidden / factor));
      }
    }
  }

  private static Stream<Double> factors(ModelConfig config, String field) {
    if (config.isNumber(field)) {
      return Stream.of(config.decimal(field));
    }
    if (config.isText(field)) { // 1:8,default:16; what is none is refused by the method itself
      return NUMBER.matcher(config.text(field)).results().map(each -> Double.valueOf(each.group()));
    }
    ModelConfig byBlock = config.section(field);
    return byBlock.fields().stream().map(byBlock::decimal);
  }

  private void check(ModelConfig config, String field, double found, double size) {
    if (size > numbers) {
      throw new DeltaException(
          "found "
              + field
              + " "
              + PeftFields.number(found)
              + " in "
              + config.path()
              + " beside a file of "
              + numbers
              + " numbers, expected none that asks for more; the files do not belong together");
    }
  }
}
