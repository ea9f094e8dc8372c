package io.trimtab.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A repository on Hugging Face's hub or a mirror of it.
 *
 * @param repository {@code ORG/NAME}, or {@code NAME} for old ones
 * @param revision a branch, tag or commit
 * @param licence the licence as far as it is known, else empty
 * @param options where to look and how
 */
record HubSource(String repository, String revision, String licence, HubOptions options)
    implements Source {
  private static final String CONFIG = "config.json";
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";

  @Override
  public String id() {
    return "hub:" + repository + (revision.equals("main") ? "" : "@" + revision);
  }

  /** What the user has in the cache of Hugging Face's own libraries, if it is complete. */
  @Override
  public Optional<ModelDirectory> owned() {
    Path root = options.huggingFaceCache().resolve("models--" + repository.replace("/", "--"));
    Path reference = root.resolve("refs").resolve(revision);
    try {
      String commit =
          Files.isRegularFile(reference) ? Files.readString(reference).strip() : revision;
      Path snapshot = root.resolve("snapshots").resolve(commit);
      if (!Files.isRegularFile(snapshot.resolve(CONFIG))) {
        return Optional.empty();
      }
      var model = new ModelDirectory(snapshot, "hub:" + repository + "@" + commit, null);
      return complete(model) ? Optional.of(model) : Optional.empty();
    } catch (IOException e) {
      throw new HubException.Disk("cannot read " + reference + ": " + e, e);
    }
  }

  private static boolean complete(ModelDirectory model) {
    boolean tokenizer =
        model.has("tokenizer.json")
            || model.has("vocab.txt")
            || (model.has("vocab.json") && model.has("merges.txt"));
    if (!tokenizer || model.has(SINGLE) || !model.has(INDEX)) {
      return tokenizer && model.has(SINGLE);
    }
    return ModelDirectory.shards(model.path().resolve(INDEX)).stream().allMatch(model::has);
  }

  @Override
  public String fetch(Path directory) {
    if (options.offline()) {
      throw new HubException.Offline(
          id() + " is not on this machine, and HF_HUB_OFFLINE forbids to fetch it; unset it");
    }
    Download download = new Download(options);
    String commit =
        get(download, CONFIG, directory)
            .orElseThrow(
                () ->
                    new HubException.NotFound(
                        "no "
                            + CONFIG
                            + " in "
                            + id()
                            + " on "
                            + options.endpoint()
                            + "; check the name and the revision"));
    if (!optional(download, "tokenizer.json", directory)
        && !optional(download, "vocab.txt", directory)) {
      optional(download, "vocab.json", directory);
      optional(download, "merges.txt", directory);
    }
    optional(download, "tokenizer_config.json", directory);
    optional(download, "special_tokens_map.json", directory);
    optional(download, "chat_template.jinja", directory);
    optional(download, "chat_template.json", directory);
    if (!optional(download, SINGLE, directory)) {
      if (!optional(download, INDEX, directory)) {
        throw new HubException.Unsupported(
            id()
                + " has no "
                + SINGLE
                + " and no "
                + INDEX
                + "; expected weights in that format, choose a revision or a copy that has them");
      }
      for (String shard : ModelDirectory.shards(directory.resolve(INDEX))) {
        if (!optional(download, shard, directory)) {
          throw new HubException.NotFound(
              INDEX + " of " + id() + " names " + shard + ", which the hub does not have");
        }
      }
    }
    return "hub:" + repository + "@" + (commit.isEmpty() ? revision : commit);
  }

  private boolean optional(Download download, String file, Path directory) {
    return get(download, file, directory).isPresent();
  }

  private Optional<String> get(Download download, String file, Path directory) {
    Path target = directory.resolve(file);
    // A file at its name is complete: it was verified before it got that name. The configuration is
    // asked for again, because its answer names the commit.
    if (Files.isRegularFile(target) && !file.equals(CONFIG)) {
      return Optional.of("");
    }
    URI uri =
        URI.create(options.endpoint() + "/" + repository + "/resolve/" + revision + "/" + file);
    return download.fetch(uri, target);
  }
}
