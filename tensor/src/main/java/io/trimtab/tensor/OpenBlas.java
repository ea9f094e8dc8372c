package io.trimtab.tensor;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.bytedeco.javacpp.Loader;

/**
 * What OpenBLAS, which computes the engine's products in 32 bits, lets know and set. Its threads
 * are no threads of OpenMP in the build at hand, so that the engine's own setting does not reach
 * them. The binding loads the library twice, under two names; which of the two the engine calls is
 * up to the linker of the system, and each is told.
 */
final class OpenBlas {
  private static final String NAME = "(lib)?openblas.*";
  private static final Linker LINKER = Linker.nativeLinker();

  /** A C string of any length. */
  private static final AddressLayout TEXT =
      ValueLayout.ADDRESS.withTargetLayout(
          MemoryLayout.sequenceLayout(Long.MAX_VALUE, ValueLayout.JAVA_BYTE));

  private OpenBlas() {}

  /** Those that are loaded; found once the engine is, since it brings them along. */
  private static final class Loaded {
    static final List<SymbolLookup> COPIES =
        Loader.getLoadedLibraries().values().stream()
            .filter(Objects::nonNull)
            .map(Path::of)
            .filter(path -> String.valueOf(path.getFileName()).matches(NAME))
            .map(path -> SymbolLookup.libraryLookup(path, Arena.global()))
            .toList();
  }

  /** Sets how many threads a product may use, in the whole process. */
  static void setThreads(int threads) {
    FunctionDescriptor type = FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT);
    for (MethodHandle set : functions("openblas_set_num_threads", type)) {
      try {
        set.invokeExact(threads);
      } catch (Throwable e) {
        throw unexpected(e);
      }
    }
  }

  /** How many threads a product may use, as each loaded copy of the library says. */
  static List<Integer> threads() {
    FunctionDescriptor type = FunctionDescriptor.of(ValueLayout.JAVA_INT);
    return functions("openblas_get_num_threads", type).stream().map(OpenBlas::ask).toList();
  }

  /**
   * Whether all copies compute by AVX-512: their processor has it and nobody chose other kernels.
   */
  static boolean hasAvx512() {
    return Kernels.AVX512;
  }

  /** What the library chose as it was loaded. */
  private static final class Kernels {
    private static final Set<String> WIDE = Set.of("SkylakeX", "Cooperlake", "SapphireRapids");

    static final boolean AVX512 =
        functions("openblas_get_corename", FunctionDescriptor.of(TEXT)).stream()
            .allMatch(function -> WIDE.contains(name(function)));

    private static String name(MethodHandle function) {
      try {
        return ((MemorySegment) function.invokeExact()).getString(0);
      } catch (Throwable e) {
        throw unexpected(e);
      }
    }
  }

  private static int ask(MethodHandle function) {
    try {
      return (int) function.invokeExact();
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** The function in every copy that has it: a library put in the place of OpenBLAS need not. */
  private static List<MethodHandle> functions(String name, FunctionDescriptor type) {
    return Loaded.COPIES.stream()
        .flatMap(copy -> copy.find(name).stream())
        .map((MemorySegment address) -> LINKER.downcallHandle(address, type))
        .toList();
  }

  private static RuntimeException unexpected(Throwable e) {
    return switch (e) {
      case RuntimeException known -> known;
      case Error grave -> throw grave;
      default -> new IllegalStateException("C functions throw nothing of their own", e);
    };
  }
}
