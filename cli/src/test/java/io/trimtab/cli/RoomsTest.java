package io.trimtab.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The house's plan: which room may use which, and what must not leave a room. */
class RoomsTest {
  private static final String HOUSE = "io.trimtab";

  /** What a room may use, next to what that room may use itself. */
  private static final Map<String, List<String>> BELOW =
      Map.of(
          "tensor", List.of(),
          "kernel", List.of("tensor"),
          "jinja", List.of("tensor"),
          "hub", List.of("jinja"),
          "model", List.of("hub", "kernel"),
          "delta", List.of("model"),
          "train", List.of("delta"),
          "prompt", List.of("train"),
          "cli", List.of("prompt"));

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages(HOUSE);

  static Set<String> rooms() {
    return new TreeSet<>(BELOW.keySet());
  }

  @Test
  void everyClassLivesInARoom() {
    assertThat(CLASSES.stream().map(RoomsTest::room).distinct())
        .containsExactlyInAnyOrderElementsOf(rooms());
  }

  @ParameterizedTest
  @MethodSource("rooms")
  void arrowsPointDownOnly(String room) {
    var mayUse = new TreeSet<String>();
    collect(room, mayUse);
    String[] forbidden =
        rooms().stream()
            .filter(other -> !mayUse.contains(other))
            .map(RoomsTest::packagesOf)
            .toArray(String[]::new);
    if (forbidden.length == 0) {
      return; // The top of the house may use every room.
    }
    noClasses()
        .that()
        .resideInAPackage(packagesOf(room))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(forbidden)
        .check(CLASSES);
  }

  @Test
  void packagesAreFreeOfCycles() {
    slices().matching(HOUSE + ".(**)").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void onlyTensorKnowsTheEngine() {
    noClasses()
        .that()
        .resideOutsideOfPackage(packagesOf("tensor"))
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.bytedeco..")
        .check(CLASSES);
  }

  @Test
  void theEngineDoesNotShowThroughTensor() {
    classes()
        .that()
        .resideInAPackage(packagesOf("tensor"))
        .should(notShow("org.bytedeco."))
        .check(CLASSES);
  }

  @Test
  void onlyTheCommandPrints() {
    noClasses()
        .that()
        .resideOutsideOfPackage(packagesOf("cli"))
        .should(ACCESS_STANDARD_STREAMS)
        .check(CLASSES);
  }

  private static void collect(String room, Set<String> into) {
    into.add(room);
    BELOW.getOrDefault(room, List.of()).forEach(below -> collect(below, into));
  }

  private static String packagesOf(String room) {
    return HOUSE + "." + room + "..";
  }

  private static String room(JavaClass type) {
    String inside = type.getPackageName().substring(HOUSE.length());
    return inside.isEmpty() ? "" : inside.substring(1).split("\\.", 2)[0];
  }

  /**
   * Neither supertypes nor signatures that another room can see may name a type of {@code origin}.
   */
  private static ArchCondition<JavaClass> notShow(String origin) {
    return new ArchCondition<>("not show types of " + origin) {
      @Override
      public void check(JavaClass type, ConditionEvents events) {
        if (!visible(type)) {
          return;
        }
        Stream<JavaType> supertypes =
            Stream.concat(type.getSuperclass().stream(), type.getInterfaces().stream());
        report(type, type.getFullName(), supertypes, events);
        type.getFields().stream()
            .filter(RoomsTest::exposed)
            .forEach(it -> report(type, it.getFullName(), Stream.of(it.getType()), events));
        type.getCodeUnits().stream()
            .filter(RoomsTest::exposed)
            .forEach(
                it ->
                    report(
                        type,
                        it.getFullName(),
                        Stream.concat(
                            Stream.of(it.getReturnType()), it.getParameterTypes().stream()),
                        events));
      }

      private void report(
          JavaClass type, String where, Stream<JavaType> shown, ConditionEvents events) {
        shown
            .flatMap(it -> it.getAllInvolvedRawTypes().stream())
            .filter(it -> it.getName().startsWith(origin))
            .forEach(
                it ->
                    events.add(
                        SimpleConditionEvent.violated(type, where + " shows " + it.getName())));
      }
    };
  }

  private static boolean visible(JavaClass type) {
    return exposed(type.getModifiers())
        && type.getEnclosingClass().map(RoomsTest::visible).orElse(true);
  }

  private static boolean exposed(JavaMember member) {
    return exposed(member.getModifiers());
  }

  private static boolean exposed(Set<JavaModifier> modifiers) {
    return modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED);
  }
}
