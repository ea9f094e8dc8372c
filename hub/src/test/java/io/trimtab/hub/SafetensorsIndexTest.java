package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsIndexTest {
  @TempDir Path directory;

  @BeforeEach
  void writeShards() {
    shard("one.safetensors", "a", "b");
    shard("two.safetensors", "c");
  }

  @Test
  void readsAllShardsInTheOrderOfTheIndex() throws IOException {
    Path index =
        index("'metadata':{'total_size':12},'weight_map':{'c':'2','a':'1','b':'1'},'more':[{}]");
    try (TensorFile file = Safetensors.openSharded(index)) {
      assertThat(file.names()).containsExactly("c", "a", "b");
      assertThat(file.metadata())
          .containsExactlyInAnyOrderEntriesOf(Map.of("total_size", "12", "format", "pt"));
      assertThat(SafetensorsTest.floats(file.bytes("b"))).containsExactly('b');
      assertThat(SafetensorsTest.floats(file.bytes("c"))).containsExactly('c');
      assertThatThrownBy(() -> file.bytes("d")).isInstanceOf(TensorNotFoundException.class);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          'weight_map':{'a':'1','b':'1','x':'3'}        | shard 3.safetensors, which is missing
          'weight_map':{'a':'1','b':'1','c':'1'}        | 'c' into one.safetensors, which lacks it
          'weight_map':{'a':'1','c':'2'}                | does not name the tensor 'b' that one
          'weight_map':{'a':'1','b':'2','c':'2'}        | 'b' into two.safetensors but one.saf
          'weight_map':{'a':'1','b':'1','a':'2'}        | names the tensor 'a' twice
          'weight_map':{'a':'1'},'weight_map':{'a':'1'} | weight_map is not one JSON object
          'weight_map':['a']                            | weight_map is not one JSON object
          'weight_map':{'a':1}                          | gives no file name for 'a'
          'weight_map':{'a':'../x'}                     | '../x.safetensors', which is not the name
          'weight_map':{'a':'/x'}                       | which is not the name of a file next to
          'weight_map':{'a':'sub/x'}                    | which is not the name of a file next to
          'weight_map':{'a':'sub\\\\x'}                 | which is not the name of a file next to
          'weight_map':{}                               | has no weight_map, or an empty one
          'metadata':{}                                 | has no weight_map, or an empty one
          'weight_map':{'a':'1'}}                       | not valid JSON
          'weight_map':{'a':                            | not valid JSON
          """,
      quoteCharacter = '"')
  void refuses(String content, String expected) throws IOException {
    Path index = index(content);
    assertThatThrownBy(() -> Safetensors.openSharded(index).close())
        .isInstanceOf(FileFormatException.class)
        .hasMessageStartingWith(index + ": ")
        .hasMessageContaining(expected);
  }

  @Test
  void refusesATensorInTwoShards() throws IOException {
    shard("two.safetensors", "b", "c");
    Path index = index("'weight_map':{'a':'1','b':'1','c':'2'}");
    assertThatThrownBy(() -> Safetensors.openSharded(index).close())
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining("'b' into one.safetensors but two.safetensors holds it (too)");
  }

  @Test
  void refusesWhatIsNotText() throws IOException {
    Path index = Files.write(directory.resolve("index.json"), new byte[] {'{', (byte) 0xff});
    assertThatThrownBy(() -> Safetensors.openSharded(index).close())
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining("not UTF-8");
  }

  private Path index(String content) throws IOException {
    String json = "{" + content.replace('\'', '"') + "}";
    for (var shard : Map.of("1", "one", "2", "two").entrySet()) {
      json = json.replace(":\"" + shard.getKey() + "\"", ":\"" + shard.getValue() + "\"");
    }
    return Files.writeString(
        directory.resolve("model.safetensors.index.json"),
        json.replaceAll(":\"([^\"]+)\"", ":\"$1.safetensors\""));
  }

  private void shard(String file, String... names) {
    var tensors = new LinkedHashMap<String, TensorData>();
    for (String name : names) {
      var value = SafetensorsTest.segment(new float[] {name.charAt(0)});
      tensors.put(name, new TensorData(DType.F32, new long[] {1}, value));
    }
    Safetensors.write(directory.resolve(file), tensors, Map.of("format", "pt"));
  }
}
