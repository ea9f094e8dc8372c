package io.trimtab.hub.gguf;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a layer is called here and there. {@code {n}} stands for the number of the block and {@code
 * {e}} for that of the expert; the names go without {@code .weight} and {@code .bias}, which are
 * the same on both sides.
 *
 * @param gguf the name in GGUF files
 * @param hf the name in Hugging Face checkpoints
 * @param layout how the values differ
 */
record TensorRule(String gguf, String hf, Layout layout) {
  private static final String BLOCK = "{n}";
  private static final String EXPERT = "{e}";

  /**
   * Which of a rule's layers a name means.
   *
   * @param block the number of the block; 0 where there is none
   * @param expert the number of the expert; 0 where there is none
   * @param suffix {@code .weight}, {@code .bias} or the like, or nothing
   */
  record Place(long block, long expert, String suffix) {}

  Optional<Place> inGguf(String name) {
    return match(gguf, name);
  }

  Optional<Place> inHf(String name) {
    return match(hf, name);
  }

  String ggufName(Place place) {
    return fill(gguf, place);
  }

  String hfName(Place place) {
    return fill(hf, place);
  }

  private static String fill(String template, Place place) {
    return template
            .replace(BLOCK, Long.toString(place.block()))
            .replace(EXPERT, Long.toString(place.expert()))
        + place.suffix();
  }

  private static Optional<Place> match(String template, String name) {
    String regex =
        Pattern.quote(template)
            .replace(BLOCK, "\\E(?<n>\\d{1,6})\\Q")
            .replace(EXPERT, "\\E(?<e>\\d{1,6})\\Q");
    Matcher matcher = Pattern.compile(regex + "(?<suffix>\\.weight|\\.bias)").matcher(name);
    return matcher.matches()
        ? Optional.of(
            new Place(
                template.contains(BLOCK) ? Long.parseLong(matcher.group("n")) : 0,
                template.contains(EXPERT) ? Long.parseLong(matcher.group("e")) : 0,
                matcher.group("suffix")))
        : Optional.empty();
  }
}
