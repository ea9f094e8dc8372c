package io.trimtab.tensor;

/**
 * Where a tensor lives. CUDA needs the project built with its profile; it is untested here.
 *
 * @param kind the sort of device
 * @param index which of several devices of that kind, from 0
 */
public record Device(Kind kind, int index) {
  /** The main processor and its memory. */
  public static final Device CPU = new Device(Kind.CPU, 0);

  /** The sorts of devices. */
  public enum Kind {
    CPU,
    CUDA
  }

  /** Reads {@code cpu}, {@code cuda} or {@code cuda:1}. */
  public static Device parse(String text) {
    String name = text.strip().toLowerCase(java.util.Locale.ROOT);
    if (name.equals("cpu")) {
      return CPU;
    }
    if (name.matches("cuda(:\\d{1,3})?")) {
      int colon = name.indexOf(':');
      return new Device(Kind.CUDA, colon < 0 ? 0 : Integer.parseInt(name.substring(colon + 1)));
    }
    throw new TensorException(
        "found device \"" + text + "\", expected cpu, cuda or cuda:N; name one of these");
  }

  org.bytedeco.pytorch.Device handle() {
    Native.touch();
    return kind == Kind.CPU
        ? new org.bytedeco.pytorch.Device(Native.deviceType(kind))
        : new org.bytedeco.pytorch.Device(Native.deviceType(kind), (byte) index);
  }

  @Override
  public String toString() {
    return kind == Kind.CPU ? "cpu" : "cuda:" + index;
  }
}
