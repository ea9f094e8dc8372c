package io.trimtab.model;

import io.trimtab.hub.*;
import io.trimtab.tensor.*;
import java.nio.file.*;
import java.util.*;
import org.junit.jupiter.api.Test;

class SmokeTest {
  @Test
  void real() throws Exception {
    Path d = Path.of("/tmp/w/models/bert-base-uncased");
    Engine.setThreads(2);
    long t0 = System.nanoTime();
    Model m =
        Model.build(
            "bert",
            ModelConfig.read(d.resolve("config.json")),
            Safetensors.open(d.resolve("model.safetensors")),
            DType.F32,
            Device.CPU);
    System.out.println("load " + (System.nanoTime() - t0) / 1e9);
    for (int i = 0; i < 3; i++)
      try (Scope _ = Scope.open()) {
        t0 = System.nanoTime();
        Batch b =
            Batch.of(List.of(Batch.Row.of(101, 1996, 3007, 1997, 2605, 2003, 103, 1012, 102)));
        Tensor l =
            m.maskedLogits(
                b, Pass.plain(b.layout()), Positions.of(new int[][] {{6}}, b.layout()), null);
        Tensor p = Neural.softmax(l, -1);
        Reduction.Top top = Reduction.top(p, 3);
        System.out.println(
            Arrays.toString(top.values().toFloats())
                + Arrays.toString(top.indices().toLongs())
                + " "
                + (System.nanoTime() - t0) / 1e9);
      }
  }

  @Test
  void hf() throws Exception {
    for (String n :
        List.of(
            "bert",
            "roberta",
            "distilbert",
            "electra",
            "bert-seqcls",
            "bert-tokcls",
            "roberta-seqcls")) {
      Path d = Path.of("/work/shared/fixtures/hf/" + n);
      try (Scope _ = Scope.open();
          Model m =
              Model.build(
                  n,
                  ModelConfig.read(d.resolve("config.json")),
                  Safetensors.open(d.resolve("model.safetensors")),
                  DType.F32,
                  Device.CPU);
          TensorFile io = Safetensors.open(d.resolve("io.safetensors"))) {
        long[][] ids = rows(io, "input_ids"), mask = rows(io, "attention_mask");
        long[][] tt =
            io.names().contains("token_type_ids") ? rows(io, "token_type_ids") : new long[0][];
        Batch b = Batch.ofPadded(ids, mask, tt);
        Pass p = Pass.plain(b.layout());
        List<Tensor> h = m.encoder().hiddenStates(b, p);
        StringBuilder o = new StringBuilder(n);
        for (int i = 0; i < h.size(); i++)
          o.append(" ")
              .append(
                  Reduction.largestDifference(h.get(i), pack(t(io, "hidden." + i), b.layout())));
        System.out.println(o);
      }
    }
  }

  static Tensor t(TensorFile f, String n) {
    return Creation.copyOf(f.bytes(n), f.info(n).dtype(), f.info(n).shape());
  }

  static long[][] rows(TensorFile f, String n) {
    long[] v = t(f, n).toLongs();
    int r = (int) f.info(n).shape()[0], c = (int) f.info(n).shape()[1];
    long[][] o = new long[r][];
    for (int i = 0; i < r; i++) o[i] = Arrays.copyOfRange(v, i * c, i * c + c);
    return o;
  }

  static Tensor pack(Tensor p, Layout l) {
    List<Tensor> x = new ArrayList<>();
    for (int r = 0; r < l.rows(); r++)
      x.add(Indexing.slice(Indexing.at(p, 0, r), 0, 0, l.length(r)));
    return Indexing.concat(x, 0);
  }
}
