package io.trimtab.train;

import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Reads UTF-8 strictly: a byte-order mark at the start is skipped, and the first malformed byte is
 * a {@link DataException} that names its line. The JDK's own readers either replace such bytes
 * silently or report an offset within a buffer.
 */
final class Utf8Reader extends Reader {
  private static final char BYTE_ORDER_MARK = '\uFEFF';

  private final InputStream in;
  private final String name;
  private final CharsetDecoder decoder =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT);
  private final ByteBuffer bytes = ByteBuffer.allocate(1 << 16).flip();
  private final CharBuffer chars = CharBuffer.allocate(1 << 16).flip();
  private boolean started;
  private boolean inputEnded;
  private boolean flushed;
  private long line = 1;
  private boolean afterReturn;

  Utf8Reader(InputStream in, String name) {
    this.in = in;
    this.name = name;
  }

  @Override
  public int read(char[] target, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (!chars.hasRemaining()) {
      if (flushed) {
        return -1;
      }
      decodeMore();
    }
    int count = Math.min(length, chars.remaining());
    chars.get(target, offset, count);
    return count;
  }

  private void decodeMore() throws IOException {
    if (!inputEnded) {
      bytes.compact();
      int read = in.read(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
      if (read < 0) {
        inputEnded = true;
      } else {
        bytes.position(bytes.position() + read);
      }
      bytes.flip();
    }
    chars.clear();
    CoderResult result = decoder.decode(bytes, chars, inputEnded);
    if (result.isUnderflow() && inputEnded) {
      flushed = decoder.flush(chars).isUnderflow();
    }
    chars.flip();
    if (!started && chars.hasRemaining()) {
      started = true;
      if (chars.get(chars.position()) == BYTE_ORDER_MARK) {
        chars.get();
      }
    }
    countLines();
    if (result.isError()) {
      throw new DataException(
          "%s line %d: byte 0x%02x is not valid UTF-8; save the file as UTF-8 and try again"
              .formatted(name, line, bytes.get(bytes.position())));
    }
  }

  private void countLines() {
    for (int i = chars.position(); i < chars.limit(); i++) {
      char c = chars.get(i);
      // "\r\n" is one line break, a lone '\r' one of its own.
      if (c == '\r' || (c == '\n' && !afterReturn)) {
        line++;
      }
      afterReturn = c == '\r';
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
