package io.trimtab.jinja;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A template, parsed once; immutable, and rendered by any number of threads.
 *
 * <p>The language is Jinja 3.1 as Hugging Face transformers sets it up for chat templates; the
 * package tells what that means. Templates that name others ({@code include}, {@code import},
 * {@code extends}), {@code autoescape} blocks and the filters {@code pprint}, {@code random},
 * {@code urlize} and {@code wordwrap} are refused.
 */
public final class Template {
  private final Source source;
  private final List<Stmt> body;
  private final Limits limits;

  private Template(Source source, List<Stmt> body, Limits limits) {
    this.source = source;
    this.body = body;
    this.limits = limits;
  }

  /** Parses a template under {@link Limits#DEFAULT}. */
  public static Template parse(String source) {
    return parse(source, Limits.DEFAULT);
  }

  /**
   * Parses a template.
   *
   * @param limits for parsing it now and for each rendering
   * @throws JinjaException.Syntax when it is not in the language
   * @throws JinjaException.LimitExceeded when it is too long or nested too deeply
   */
  public static Template parse(String source, Limits limits) {
    if (source.length() > limits.source()) {
      throw Budget.exceeded(limits.source() + " characters of source");
    }
    Source normal = Source.of(source);
    try {
      return new Template(normal, Parser.parse(normal, limits.depth() / 3), limits);
    } catch (StackOverflowError e) {
      throw Budget.exceeded("the levels of nesting that this thread's stack can hold");
    }
  }

  /**
   * The text that the template makes of its variables.
   *
   * @param variables texts, numbers, booleans, nulls, and lists and maps of such; enums count as
   *     their names, and {@link JinjaFunction}s can be called. They are not changed
   * @throws JinjaException when the template fails, refuses its input or exceeds its limits
   */
  public String render(Map<String, ? extends @Nullable Object> variables) {
    return rendering(variables).text();
  }

  /** As {@link #render}, with the places of what the model is to write itself. */
  public Rendering rendering(Map<String, ? extends @Nullable Object> variables) {
    Budget budget = new Budget(limits);
    Scope given = new Scope();
    variables.forEach((name, value) -> given.set(name, Convert.toTemplate(value, budget)));
    Interpreter interpreter = new Interpreter(budget, new Scope(given, budget));
    try {
      return interpreter.render(body);
    } catch (StackOverflowError e) {
      throw placed(
          Budget.exceeded("the levels of nesting that this thread's stack can hold"), interpreter);
    } catch (JinjaException e) {
      throw e.line() == 0 ? placed(e, interpreter) : e;
    }
  }

  private JinjaException placed(JinjaException error, Interpreter interpreter) {
    int at = interpreter.at();
    JinjaException placed = error.at(source.line(at), source.column(at));
    placed.setStackTrace(error.getStackTrace());
    return placed;
  }
}
