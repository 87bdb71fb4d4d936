package dev.hapax;

import dev.hapax.internal.Checks;
import dev.hapax.internal.Home;
import dev.hapax.internal.Settings;
import dev.hapax.schema.Schema;
import dev.hapax.spi.Codec;
import dev.hapax.spi.Metrics;
import dev.hapax.spi.Tracing;
import dev.hapax.twophase.Participant;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import javax.sql.DataSource;
import javax.sql.XADataSource;
import javax.transaction.xa.Xid;

/**
 * The settings of a service, got from {@link Hapax#on(DataSource)}. Only {@link #name} must be set. What is refused is refused here or in {@link #open()}, with the setting, the value
 * and what is allowed. Not safe for use by many threads.
 */
public final class HapaxBuilder {

    private final Settings settings;

    HapaxBuilder(DataSource dataSource) {
        this.settings = new Settings(dataSource);
    }

    /**
     * You must set: the service's name. It is the producer of its keys, and appears in markers, logs and metrics. Keep it for ever: under another name the same keys are other operations.
     *
     * @param service 1 to 100 letters, digits, {@code . _ -} or {@code /}
     */
    public HapaxBuilder name(String service) {
        settings.name = Checks.name("name", service);
        return this;
    }

    /** You may tune: how values are stored. Default: bytes and strings only; see {@link dev.hapax.json.JsonCodec}. */
    public HapaxBuilder codec(Codec yours) {
        settings.codec = yours;
        return this;
    }

    /** You may tune: declares a scope, with its owner and its windows. */
    public HapaxBuilder scope(Scope scope) {
        Checks.that(
                settings.scopes.putIfAbsent(scope.name(), scope) == null,
                "the scope %s is declared twice",
                scope.name());
        return this;
    }

    /** You may tune: the window of scopes that are not declared, and how long their answers are kept. Default 30 days; see {@link Scope#remember}. */
    public HapaxBuilder remember(Duration window) {
        settings.defaults = settings.defaults.remember(window);
        return this;
    }

    /** You may tune: a database beside the home that takes part in two-phase commits; see {@link #participant(String, Participant)}. */
    public HapaxBuilder participant(String participant, XADataSource source) {
        return participant(participant, Participant.of(source));
    }

    /**
     * You may tune: a resource beside the home that takes part in two-phase commits; see {@link Hapax#twoPhase}. From {@link #open()} on, this process looks there for branches of this home
     * that were left by their owners. Give it to every process that may have to do so, and keep its name for ever.
     *
     * @param participant 1 to 64 letters, digits, {@code . _ -} or {@code /}
     */
    public HapaxBuilder participant(String participant, Participant resource) {
        Checks.name("participant", participant);
        Checks.that(
                participant.length() <= Xid.MAXBQUALSIZE,
                "participant %s is longer than %d",
                participant,
                Xid.MAXBQUALSIZE);
        Checks.that(
                settings.participants.putIfAbsent(participant, resource) == null,
                "the participant %s is given twice",
                participant);
        return this;
    }

    /** You may tune: where it counts. Default: nowhere; see {@link dev.hapax.micrometer.MicrometerMetrics}. */
    public HapaxBuilder metrics(Metrics yours) {
        settings.metrics = yours;
        return this;
    }

    /** You may tune: how trace contexts are carried. Default: not; see {@link dev.hapax.opentelemetry.OpenTelemetryTracing}. */
    public HapaxBuilder tracing(Tracing yours) {
        settings.tracing = yours;
        return this;
    }

    /** You may tune: how long a repeat waits for a transaction that is applying its key, 1 second to 1 hour. Default 30 seconds. */
    public HapaxBuilder waitUpTo(Duration time) {
        settings.waitUpTo = Checks.duration("waitUpTo", time, Duration.ofSeconds(1), Duration.ofHours(1));
        return this;
    }

    /** You may tune: the largest message or kept answer, encoded, in bytes: 1 to 16 MiB. Default 1 MiB. */
    public HapaxBuilder payloadMax(int bytes) {
        settings.payloadMax = Checks.range("payloadMax", bytes, 1, 16 << 20);
        return this;
    }

    /** You probably shouldn't: tries of one transaction, the first included, 1 to 100. Default 5. */
    public HapaxBuilder attempts(int most) {
        settings.attempts = Checks.range("attempts", most, 1, 100);
        return this;
    }

    /** You probably shouldn't: the most messages of one transaction, 1 to 100,000. Default 10,000. */
    public HapaxBuilder messagesMax(int most) {
        settings.messagesMax = Checks.range("messagesMax", most, 1, 100_000);
        return this;
    }

    /** You probably shouldn't: how far ahead of the database's clock a key's time may lie, up to a day. Default 5 minutes. */
    public HapaxBuilder futureTolerance(Duration time) {
        settings.futureTolerance = Checks.duration("futureTolerance", time, Duration.ZERO, Duration.ofDays(1));
        return this;
    }

    /**
     * You probably shouldn't: whether this process creates and drops partitions, moves delayed messages and recovers branches that were left (with a role that
     * can't do so, another process must). Default true.
     */
    public HapaxBuilder housekeeping(boolean here) {
        settings.housekeeping = here;
        return this;
    }

    /**
     * You may tune: a small file that remembers the newest state of the database that this process has seen, so that the next one notices when the database was put back in time
     * meanwhile; see {@link dev.hapax.control.History}. Each process needs its own, on a disk that outlives it and is not restored together with the database. It is written every two seconds at most. Default:
     * none, and only processes that were running notice.
     *
     * @param file in a directory that is there and can be written; the file need not be there
     */
    public HapaxBuilder historyWitness(Path file) {
        settings.historyWitness = file;
        return this;
    }

    /** For tests: this machine's clock. */
    public HapaxBuilder clock(InstantSource yours) {
        settings.clock = yours;
        return this;
    }

    /**
     * Checks the database's schema and opens the service. Never changes the schema.
     *
     * @throws IllegalStateException if the name is not set
     * @throws SchemaException if the schema is not complete, or a scope's stored window contradicts its declaration
     * @throws StoreException if the database can't be asked, or a participant can't prepare transactions
     */
    public Hapax open() {
        Checks.state(
                !settings.name.isEmpty(),
                "name is not set; call .name(\"your-service\"): it is the producer of your keys");
        Schema.on(settings.dataSource).require();
        return new Hapax(Home.open(settings));
    }
}
