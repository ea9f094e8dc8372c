package io.trimtab.hub;

import java.util.ArrayList;
import java.util.List;

/**
 * An operation of an ONNX graph.
 *
 * @param type the operator, such as {@code MatMul}
 * @param inputs names of the tensors that go in
 * @param outputs names of the tensors that come out
 */
record OnnxNode(String type, List<String> inputs, List<String> outputs) {

  static OnnxNode read(ProtoReader node) {
    String type = "";
    var inputs = new ArrayList<String>();
    var outputs = new ArrayList<String>();
    while (node.next()) {
      switch (node.field()) {
        case 1 -> inputs.add(node.text());
        case 2 -> outputs.add(node.text());
        case 4 -> type = node.text();
        default -> {}
      }
    }
    return new OnnxNode(type, List.copyOf(inputs), List.copyOf(outputs));
  }
}
