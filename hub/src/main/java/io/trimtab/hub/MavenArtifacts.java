package io.trimtab.hub;

import eu.maveniverse.maven.mima.context.Context;
import eu.maveniverse.maven.mima.context.ContextOverrides;
import eu.maveniverse.maven.mima.context.ContextOverrides.ChecksumPolicy;
import eu.maveniverse.maven.mima.context.Runtimes;
import java.nio.file.Path;
import org.eclipse.aether.artifact.DefaultArtifact;
import org.eclipse.aether.resolution.ArtifactRequest;
import org.eclipse.aether.resolution.ArtifactResolutionException;
import org.eclipse.aether.transfer.AbstractTransferListener;
import org.eclipse.aether.transfer.ArtifactNotFoundException;
import org.eclipse.aether.transfer.TransferEvent;

/**
 * Gets jars with Maven's own resolver, the user's settings and the user's local repository. In a
 * class of its own so that the resolver's classes are loaded only when a Maven source is really
 * asked.
 */
final class MavenArtifacts {
  private MavenArtifacts() {}

  /** The jar of these coordinates in the user's local repository, fetched where it is not there. */
  static Path resolve(String group, String artifact, String version, HubOptions options) {
    ContextOverrides overrides =
        ContextOverrides.create()
            .withUserSettings(true)
            .offline(options.offline() ? Boolean.TRUE : null)
            .checksumPolicy(ChecksumPolicy.FAIL)
            .transferListener(new Listener(options.progress()))
            .build();
    try (Context context = Runtimes.INSTANCE.getRuntime().create(overrides)) {
      ArtifactRequest request =
          new ArtifactRequest(
              new DefaultArtifact(group, artifact, "jar", version),
              context.remoteRepositories(),
              "trimtab");
      return context
          .repositorySystem()
          .resolveArtifact(context.repositorySystemSession(), request)
          .getArtifact()
          .getFile()
          .toPath();
    } catch (ArtifactResolutionException e) {
      String name = "maven:" + group + ":" + artifact + ":" + version;
      boolean missing =
          e.getResult().getExceptions().stream()
              .allMatch(ArtifactNotFoundException.class::isInstance);
      String message = String.valueOf(e.getMessage()).replaceAll("\\s+", " ");
      if (options.offline()) {
        throw new HubException.Offline(
            name + " is not in the local Maven repository, and offline is set: " + message, e);
      }
      if (missing) {
        throw new HubException.NotFound(
            name + ": not found: " + message + "; check the coordinates and Maven's settings.xml",
            e);
      }
      throw new HubException.Interrupted(
          name + ": " + message + "; check the network and Maven's settings.xml", e);
    }
  }

  private static final class Listener extends AbstractTransferListener {
    private final Progress progress;

    Listener(Progress progress) {
      this.progress = progress;
    }

    @Override
    public void transferProgressed(TransferEvent event) {
      String name = event.getResource().getResourceName();
      progress.update(
          name.substring(name.lastIndexOf('/') + 1),
          event.getTransferredBytes() + event.getResource().getResumeOffset(),
          event.getResource().getContentLength());
    }
  }
}
