package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FewFrequenciesTest {
  @ParameterizedTest
  @CsvSource({"4,6", "5,6", "6,5", "3,3", "1,4", "4,1", "2,2"})
  void everySingleEntryAndAllTogetherAreThoseOfTheWholeTransform(int rows, int columns) {
    long size = (long) rows * columns;
    for (long place = -1; place < size; place++) {
      long[] places = place < 0 ? LongStream.range(0, size).toArray() : new long[] {place};
      try (Scope _ = Scope.open()) {
        Tensor entries =
            Gradients.variable(Rng.seeded(place).normal(1, DType.F64, Device.CPU, places.length));
        Tensor at = Creation.longs(places, places.length);
        Tensor zeros = Creation.zeros(DType.F64, Device.CPU, size);
        Tensor whole =
            Fourier.inverseOfMatrix(Indexing.addRows(zeros, at, entries).reshape(rows, columns));
        FewFrequencies few = new FewFrequencies(places, rows, columns);
        assertThat(Reduction.largestDifference(few.inverse(entries), whole)).isLessThan(1e-12);
        Tensor above = Rng.seeded(9).normal(1, DType.F64, Device.CPU, rows, columns);
        Tensor expected = Gradients.of(List.of(whole), List.of(above), List.of(entries)).getFirst();
        assertThat(Reduction.largestDifference(few.gradient(above), expected)).isLessThan(1e-12);
      }
    }
  }
}
