package dev.hapax.internal.claim;

import dev.hapax.FencedException;
import dev.hapax.internal.Names.StoredScope;
import dev.hapax.internal.once.Settlements.WorkFailure;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes claims of one kind up whose time has come, and goes one step with each. Has no thread of its own. Safe for use by many threads.
 */
final class KindWorker<R, T> {

    private static final Logger LOG = LoggerFactory.getLogger(KindWorker.class);

    private final KindSettings<R, T> settings;
    private final ClaimEngine engine;
    private final StoredScope scope;

    KindWorker(KindSettings<R, T> settings, StoredScope scope) {
        this.settings = settings;
        this.engine = settings.engine;
        this.scope = scope;
    }

    /** Makes up to so many of them ours, in one statement. */
    List<Held> take(int most) throws SQLException {
        if (engine.settlements.isPaused(scope.name())) {
            return List.of();
        }
        return engine.settlements
                .connections()
                .autoCommit(connection -> engine.taking.takeDue(
                        connection,
                        scope,
                        engine.newOwner(),
                        settings.policy.lease().toMillis(),
                        most));
    }

    /** Goes one step with a claim. Throws nothing but what ends a thread. */
    void work(Held held) {
        Running running = engine.keeper.begin(held);
        try {
            KindHandler<R, T> handler = KindHandler.of(settings, held);
            Step<T> step = engine.runner.step(running, handler);
            if (step instanceof Step.Later<T> later) {
                goOnLater(held, handler, later);
            }
        } catch (FencedException e) {
            LOG.info("{}", e.getMessage());
        } catch (WorkFailure e) {
            if (e.thrown instanceof Error error) {
                throw error;
            }
            LOG.warn(
                    "what settles claim {} in our own database failed, and is tried again: {}",
                    held.key,
                    e.thrown.toString());
            putOff(held, "settling failed: " + e.thrown);
        } catch (RuntimeException e) {
            LOG.warn("claim {} could not be gone on with, and is tried again: {}", held.key, e.toString());
            putOff(held, e.toString());
        } finally {
            engine.keeper.end(running);
        }
    }

    private void goOnLater(Held held, KindHandler<R, T> handler, Step.Later<T> later) {
        held.lastError = later.error();
        held.waits++;
        Duration age = Duration.between(held.claimedAt, engine.settlements.now());
        if (!held.uncertain && age.compareTo(settings.giveUpAfter) > 0) {
            Known known = Known.refused("given up after " + settings.giveUpAfter + " and " + held.attempts
                    + " calls: it certainly was not done. Last: " + later.error());
            engine.settler.settle(held, known, handler, null);
            return;
        }
        write(held, later.waitMillis());
    }

    private void putOff(Held held, String error) {
        held.lastError = error;
        held.waits++;
        try {
            write(held, ClaimRunner.pause(held, settings.policy));
        } catch (RuntimeException e) {
            // Its lease runs out, and then somebody takes it up again.
            LOG.info("claim {} could not be put off: {}", held.key, e.toString());
        }
    }

    private void write(Held held, @Nullable Long waitMillis) {
        boolean ours = engine.settlements.retried(
                held.key,
                () -> engine.settlements
                        .connections()
                        .autoCommit(connection -> engine.store.putOff(connection, held, waitMillis)));
        if (!ours) {
            throw engine.settler.fenced(held, "it could be written how the call ended");
        }
    }
}
