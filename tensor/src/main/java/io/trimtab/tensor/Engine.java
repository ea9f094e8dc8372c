package io.trimtab.tensor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.bytedeco.pytorch.global.torch;

/** The native engine as a whole: its threads, its memory, its version. */
public final class Engine {
  private static final Pattern VERSION = Pattern.compile("TORCH_VERSION=([^,\\s]+)");

  private Engine() {}

  /** Sets how many threads one operator may use, for the whole process. */
  public static void setThreads(int threads) {
    if (threads < 1) {
      throw new TensorException(
          "found " + threads + " threads, expected at least 1; pass --threads 1 or more");
    }
    Native.touch();
    torch.set_num_threads(threads);
    OpenBlas.setThreads(threads);
  }

  /** How many threads one operator may use. */
  public static int threads() {
    Native.touch();
    return torch.get_num_threads();
  }

  /** The number of physical cores, or of logical ones where the system does not tell. */
  public static int physicalCores() {
    int logical = Runtime.getRuntime().availableProcessors();
    try {
      Set<String> cores = new HashSet<>();
      String socket = "";
      for (String line : Files.readAllLines(Path.of("/proc/cpuinfo"))) {
        if (line.startsWith("physical id")) {
          socket = line;
        } else if (line.startsWith("core id")) {
          cores.add(socket + line);
        }
      }
      return cores.isEmpty() ? logical : Math.min(logical, cores.size());
    } catch (IOException e) {
      return logical; // not Linux
    }
  }

  /** The largest resident size this process has had, in bytes; 0 where the system does not tell. */
  public static long peakMemory() {
    return status("VmHWM:");
  }

  /** The present resident size of this process, in bytes; 0 where the system does not tell. */
  public static long residentMemory() {
    return status("VmRSS:");
  }

  private static long status(String field) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith(field)) {
          return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
        }
      }
    } catch (IOException e) {
      return 0; // not Linux
    }
    return 0;
  }

  /**
   * Whether the CPU multiplies blocks of 16-bit numbers by a unit of its own (AMX): the engine's
   * fused attention in BF16 is written for that, and takes plain loops where there is none.
   */
  public static boolean hasMatrixUnit() {
    return Processor.AMX;
  }

  private static final class Processor {
    static final boolean AMX = has("amx_bf16");

    private static boolean has(String flag) {
      try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
        return lines
            .filter(line -> line.startsWith("flags"))
            .findFirst()
            .map(line -> List.of(line.split("\\s+")).contains(flag))
            .orElse(false);
      } catch (IOException e) {
        return false; // not Linux
      }
    }
  }

  /** Whether this build of the engine has oneDNN's products beside the BLAS's. */
  static boolean hasOneDnn() {
    Native.touch();
    return torch.hasMKLDNN();
  }

  /** What run files record of the engine: its version and number of threads. */
  public static Map<String, String> description() {
    Native.touch();
    Matcher version = VERSION.matcher(torch.show_config().getString());
    return Map.of(
        "libtorch",
        version.find() ? version.group(1) : "unknown",
        "threads",
        Integer.toString(threads()));
  }
}
