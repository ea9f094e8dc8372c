package io.trimtab.train.parity;

import io.trimtab.delta.DeltaException;
import io.trimtab.model.ModelException;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Computes recorded cases again and says how far off the results are. Anyone's recordings will do,
 * as long as they are laid out like the fixtures': {@code hf/NAME} (a model, its hidden states and
 * logits), {@code peft/NAME} and {@code adapterhub/NAME} (an adapter of PEFT or AdapterHub and its
 * logits), {@code opendelta/NAME} (a checkpoint of OpenDelta and its logits), {@code train/NAME}
 * (the losses of a training run, its gradient norms and what it ended with). Folders of other kinds
 * are left out.
 *
 * <p>Everything is computed in F32, as it was recorded. Where scores grow so large that the order
 * of additions alone decides more than is allowed, F32 does not tell right from wrong; a case that
 * is off by little is therefore computed once more in F64, and is right where that is.
 */
public final class Parity {
  private static final List<Kind> KINDS =
      List.of(
          new AdapterHubKind(), new OpenDeltaKind(), new HfKind(), new PeftKind(), new TrainKind());

  private record Found(Kind kind, Path directory) {}

  private Parity() {}

  /**
   * Checks every case under a directory, which may also be the folder of one kind, or one case.
   *
   * @param each is told of every case as soon as it is done
   * @throws ParityException where there is no case
   */
  public static ParityReport run(Path directory, Consumer<Case> each) {
    TreeMap<String, Found> cases = new TreeMap<>();
    Path top = directory.toAbsolutePath().normalize();
    if (!Files.isDirectory(top)) {
      throw new ParityException("found no directory " + directory + ", expected one with cases");
    }
    Optional<Kind> single = kindOf(top);
    if (single.isPresent()) {
      add(cases, single.get(), top);
    } else {
      collect(cases, top);
    }
    if (cases.isEmpty()) {
      throw new ParityException(
          "found no case under "
              + directory
              + ", expected folders "
              + String.join(", ", KINDS.stream().map(kind -> kind.folder() + "/NAME").toList())
              + ", one of these, or one case");
    }
    List<Case> done = new ArrayList<>();
    for (Map.Entry<String, Found> entry : cases.entrySet()) {
      Case result = check(entry.getKey(), entry.getValue());
      each.accept(result);
      done.add(result);
    }
    return new ParityReport(done);
  }

  /** Everything in a kind's folder is a case of it, so that one with files missing is noticed. */
  private static void collect(Map<String, Found> cases, Path top) {
    Optional<Kind> itself = named(top);
    for (Path child : folders(top)) {
      Optional<Kind> kind = named(child);
      Optional<Kind> holding = kindOf(child);
      if (itself.isPresent()) {
        add(cases, itself.get(), child);
      } else if (holding.isPresent()) {
        add(cases, holding.get(), child);
      } else if (kind.isPresent()) {
        folders(child).forEach(below -> add(cases, kind.get(), below));
      }
    }
  }

  private static void add(Map<String, Found> cases, Kind kind, Path directory) {
    cases.put(kind.folder() + "/" + directory.getFileName(), new Found(kind, directory));
  }

  private static Optional<Kind> named(Path directory) {
    return KINDS.stream()
        .filter(kind -> Path.of(kind.folder()).equals(directory.getFileName()))
        .findFirst();
  }

  private static Optional<Kind> kindOf(Path directory) {
    return KINDS.stream().filter(kind -> kind.holds(directory)).findFirst();
  }

  private static List<Path> folders(Path directory) {
    try (Stream<Path> list = Files.list(directory)) {
      return list.filter(Files::isDirectory)
          .filter(path -> !path.getFileName().toString().startsWith("."))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new ParityException("cannot list " + directory + ": " + e, e);
    }
  }

  private static Case check(String name, Found found) {
    try {
      Errors errors = errors(found, DType.F32);
      if (!errors.mayBeRounding()) {
        return errors.toCase(name);
      }
      Case exact = errors(found, DType.F64).toCase(name);
      return exact.status() == Case.Status.OK ? exact.inF64(errors.worst()) : errors.toCase(name);
    } catch (ModelException.Unsupported
        | DeltaException.Unsupported
        | ParityException.Unsupported e) {
      return new Case(name, Case.Status.REFUSED, Double.NaN, message(e));
    } catch (RuntimeException e) {
      return new Case(name, Case.Status.WRONG, Double.NaN, message(e));
    }
  }

  private static Errors errors(Found found, DType type) {
    try (Scope _ = Scope.open()) {
      return found.kind().check(found.directory(), type);
    }
  }

  private static String message(RuntimeException e) {
    String message = e.getMessage();
    return message == null ? e.toString() : message;
  }
}
