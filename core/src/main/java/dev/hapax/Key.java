package dev.hapax;

import dev.hapax.internal.Checks;
import dev.hapax.internal.ChildIds;
import dev.hapax.internal.KeyTimes;
import dev.hapax.internal.SystemSource;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Names one intended effect: a <em>scope</em> (the kind of operation), an <em>id</em> inside it, the <em>producer</em> that made
 * it, and the operation's own <em>time</em>.
 *
 * <p>Two keys are the same operation when scope, producer, id and the day of their time (UTC) are equal. The time belongs to the key, not to the attempt:
 * <strong>every retry must repeat it</strong>. It decides which day's markers are looked at, so the same id with another day, or once with a time and once without, is applied again. It is taken from the id itself where
 * the id carries one (UUIDv7 of RFC 9562, ULID), else from {@link #at(Instant)}; a key without either is <em>timeless</em> and is
 * remembered for ever. Never give the time at which a request arrived.
 *
 * <p>Immutable and safe for use by many threads.
 */
public final class Key {

    /** The longest id, in characters. */
    public static final int ID_LENGTH_MAX = 200;

    /** The longest name of a scope or of a producer, in characters. */
    public static final int NAME_LENGTH_MAX = 100;

    private static final Instant LATEST = Instant.parse("3000-01-01T00:00:00Z");

    private final String scope;
    private final String id;
    private final @Nullable String producer;
    private final @Nullable Instant time;

    private Key(String scope, String id, @Nullable String producer, @Nullable Instant time) {
        this.scope = scope;
        this.id = id;
        this.producer = producer;
        this.time = time;
    }

    /**
     * The key of an operation that the caller has named.
     *
     * @param scope the kind of operation, such as {@code payments.charge}: 1 to 100 letters, digits, {@code . _ -} or {@code /}
     * @param id what tells this operation from all others of the scope: 1 to 200 characters, no control characters. A UUIDv7 or a
     *     ULID gives the key its time
     * @throws IllegalArgumentException if one of them is outside its limits; the message names the limit and the value
     */
    public static Key of(String scope, String id) {
        Checks.name("scope", scope);
        Checks.id("id", id);
        return new Key(scope, id, null, KeyTimes.of(id));
    }

    /**
     * A new key, different from all others: a UUIDv7, so it carries its time. Make it once per intended effect and repeat it on
     * every retry; a retry that makes a new key is a new operation.
     *
     * @throws IllegalArgumentException if the scope's name is outside its limits
     */
    public static Key generate(String scope) {
        return of(scope, SystemSource.INSTANCE.newUuidV7().toString());
    }

    /**
     * This key, as made by another producer than the service that applies it (for a consumer, or a server that acts for others).
     *
     * @param name 1 to 100 letters, digits, {@code . _ -} or {@code /}
     * @throws IllegalArgumentException if the name is outside its limits
     */
    public Key producer(String name) {
        Checks.name("producer", name);
        return new Key(scope, id, name, time);
    }

    /**
     * This key with the operation's own time, which every retry must repeat: when the order was placed, when the message was
     * created. Kept to the millisecond.
     *
     * @throws IllegalArgumentException if the id carries a time of its own and this is another, or if it lies before 1970 or after 2999
     */
    public Key at(Instant operationTime) {
        Instant millis = operationTime.truncatedTo(ChronoUnit.MILLIS);
        Checks.that(
                !millis.isBefore(Instant.EPOCH) && millis.isBefore(LATEST),
                "the time of a key must lie between %s and %s; it was %s",
                Instant.EPOCH,
                LATEST,
                millis);
        Instant own = KeyTimes.of(id);
        Checks.that(
                own == null || own.equals(millis),
                "the id %s carries its own time %s; it can't be given another one (%s)",
                id,
                own,
                millis);
        return new Key(scope, id, producer, millis);
    }

    /**
     * The key of a part of this operation: an event that it publishes, a step, a compensation. The same parent and name give the
     * same child everywhere and always. The child keeps the parent's scope, producer and time.
     *
     * <p>The child's id is a UUID whose random bits are SHA-256 of the parent's scope and id and of the name, but not of its producer, which the child names as its parent does: so the children of one
     * operation are the same whether its key names the service that applies it or leaves that out. As with the parents, children of two producers may have the same id. It is a UUIDv7 that carries the parent's time,
     * or a UUIDv8 for a timeless parent (RFC 9562). So it can't be equal to an id that a caller made, and whoever sees nothing
     * but the id still knows the operation's time.
     *
     * @param name 1 to 200 characters, no control characters
     * @throws IllegalArgumentException if the name is outside its limits
     */
    public Key child(String name) {
        return new Key(scope, childUuid(name).toString(), producer, time);
    }

    /** The id of {@link #child(String)}, as the UUID that it is. */
    public UUID childUuid(String name) {
        return ChildIds.of(this, name);
    }

    /** The kind of operation. */
    public String scope() {
        return scope;
    }

    /** What tells this operation from the others of its scope. */
    public String id() {
        return id;
    }

    /** Who made the key; empty means: the service that applies it. */
    public Optional<String> producer() {
        return Optional.ofNullable(producer);
    }

    /** The operation's own time, in milliseconds; empty for a timeless key. */
    public Optional<Instant> time() {
        return Optional.ofNullable(time);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Key that
                && scope.equals(that.scope)
                && id.equals(that.id)
                && Objects.equals(producer, that.producer)
                && Objects.equals(time, that.time);
    }

    @Override
    public int hashCode() {
        return Objects.hash(scope, id, producer);
    }

    /** Scope, id and producer, as they appear in messages and logs. */
    @Override
    public String toString() {
        return producer == null ? scope + ":" + id : scope + ":" + id + "@" + producer;
    }
}
