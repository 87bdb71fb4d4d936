package dev.hapax.internal;

import dev.hapax.Scope;
import dev.hapax.spi.Codec;
import dev.hapax.spi.Metrics;
import dev.hapax.spi.Tracing;
import dev.hapax.twophase.Participant;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** What the builder gathers, with the defaults. Not changed after the service is opened. */
public final class Settings {

    public final DataSource dataSource;
    public final Map<String, Scope> scopes = new LinkedHashMap<>();
    public String name = "";
    public Codec codec = new BasicCodec();
    public Metrics metrics = Metrics.NONE;
    public Tracing tracing = Tracing.NONE;
    public InstantSource clock = SystemSource.INSTANCE;
    public Scope defaults = Scope.of("default");
    public Duration futureTolerance = Duration.ofMinutes(5);
    public Duration waitUpTo = Duration.ofSeconds(30);
    public int attempts = 5;
    public int payloadMax = 1 << 20;
    public int messagesMax = 10_000;
    public final Map<String, Participant> participants = new LinkedHashMap<>();
    public boolean housekeeping = true;
    public @Nullable Path historyWitness;

    public Settings(DataSource dataSource) {
        this.dataSource = dataSource;
    }
}
