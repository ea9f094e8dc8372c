package io.trimtab.delta.bottleneck;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Part;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/** An adapter at a place of a model. */
public final class BottleneckPart implements Part {
  private final AdapterPlace place;
  private final Placement placement;
  private final AdapterBody body;

  BottleneckPart(AdapterPlace place, Placement placement, AdapterBody body) {
    this.place = place;
    this.placement = placement;
    this.body = body;
  }

  /** Where it is. */
  public AdapterPlace place() {
    return place;
  }

  @Override
  public Site<?> site() {
    return switch (place.point()) {
      case BEFORE_ADDITION -> Site.residual(place.site());
      case OUTPUT -> Site.output(place.site());
    };
  }

  @Override
  public Patch patch() {
    return switch (place.point()) {
      case BEFORE_ADDITION -> new BeforeAddition();
      case OUTPUT -> new AtOutput();
    };
  }

  private final class BeforeAddition implements Patch.Residual {
    @Override
    public Tensor apply(Sublayer sublayer, Pass pass) {
      if (place.leftOut().contains(pass.block())) {
        return sublayer.output();
      }
      return switch (placement) {
        case Placement.Sublayers(_, _, Placement.Flow.Sequential flow, _) ->
            sequential(flow, sublayer, pass);
        case Placement.Sublayers(_, _, Placement.Flow.Parallel _, _) ->
            body.apply(sublayer.residual(), sublayer.output(), pass);
        case Placement.Behind _ -> body.apply(sublayer.output(), sublayer.output(), pass);
        case Placement.Beside _ -> body.apply(sublayer.input(), sublayer.output(), pass);
      };
    }

    private Tensor sequential(Placement.Flow.Sequential flow, Sublayer sublayer, Pass pass) {
      Tensor output = sublayer.output();
      if (!flow.normBefore()) {
        return body.apply(output, output, pass);
      }
      Tensor sum = Arithmetic.add(output, sublayer.residual());
      UnaryOperator<Tensor> norm = sublayer.norm();
      Tensor normed = norm == null ? sum : norm.apply(sum);
      Tensor residual =
          switch (flow.around()) {
            case BEFORE_NORM -> output;
            case AFTER_NORM -> normed;
            case AFTER_ADDITION -> sum;
          };
      return body.apply(normed, residual, pass);
    }

    @Override
    public boolean readsWholeRows() {
      return body.readsWholeRows();
    }
  }

  private final class AtOutput implements Patch.Output {
    @Override
    public Tensor apply(Tensor input, Tensor output, Pass pass) {
      if (place.leftOut().contains(pass.block())) {
        return output;
      }
      return body.apply(placement instanceof Placement.Beside ? input : output, output, pass);
    }

    @Override
    public boolean readsWholeRows() {
      return body.readsWholeRows();
    }
  }

  @Override
  public List<Parameter> parameters() {
    return body.parameters();
  }

  @Override
  public List<Parameter> constants() {
    return body.constants();
  }

  @Override
  public List<String> baseTensors() {
    return place.baseTensors();
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    throw cannotMerge(name);
  }

  static DeltaException.Unsupported cannotMerge(String name) {
    return new DeltaException.Unsupported(
        "found an adapter with a non-linearity beside "
            + name
            + ", expected a delta that changes weights: it cannot be merged into any; use the delta"
            + " beside the model");
  }
}
