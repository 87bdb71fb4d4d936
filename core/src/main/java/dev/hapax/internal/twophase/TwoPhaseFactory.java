package dev.hapax.internal.twophase;

import dev.hapax.Key;
import dev.hapax.StoreException;
import dev.hapax.internal.DatabaseClock;
import dev.hapax.internal.Partitions;
import dev.hapax.internal.once.Settlements;
import dev.hapax.twophase.Participant;
import dev.hapax.twophase.Participants;
import dev.hapax.twophase.TwoPhase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes calls, and looks after what they leave. Safe for use by many threads. */
public final class TwoPhaseFactory implements Participants, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(TwoPhaseFactory.class);

    private final Map<String, Sessions> participants = new LinkedHashMap<>();
    private final UUID home;
    private final Decisions decisions;
    private final BranchStore store;
    private final Recovery recovery;
    private final TwoPhaseEngine engine;
    private final int waitSeconds;

    /**
     * What it stands on.
     *
     * @param service its name
     */
    public record Ground(String service, Settlements settlements, Partitions partitions, DatabaseClock clock) {}

    /** @param waitUpTo how long a repeat waits by default */
    public TwoPhaseFactory(Ground ground, Map<String, Participant> given, Duration waitUpTo) throws SQLException {
        given.forEach((name, participant) -> participants.put(name, new Sessions(name, participant)));
        this.waitSeconds = seconds(waitUpTo);
        this.decisions = new Decisions(ground.settlements, ground.partitions, ground.clock);
        this.home = decisions.home();
        this.store = new BranchStore(ground.settlements.connections());
        Settler settler = new Settler(decisions, store);
        this.recovery = new Recovery(ground.service, home, List.copyOf(participants.values()), settler, store);
        this.engine = new TwoPhaseEngine(ground.settlements, decisions, settler, home, recovery::soon);
    }

    static int seconds(Duration time) {
        return (int) time.plusMillis(999).toSeconds();
    }

    /**
     * Asks each participant whether it can prepare. One that can't be reached is asked again before its first branch.
     *
     * @throws StoreException if it says that it can't
     */
    public void prove() {
        for (Sessions sessions : participants.values()) {
            try {
                sessions.prove(home, decisions.today());
            } catch (SQLException e) {
                if (XaFaults.isPrepareDisabled(e)) {
                    participants.values().forEach(Sessions::close);
                    throw new StoreException(XaFaults.disabled(sessions.name()), e);
                }
                LOG.warn(
                        "participant {} could not be tried; it is before its first branch: {}",
                        sessions.name(),
                        e.toString());
            }
        }
    }

    /** Recovers in the background from here on. */
    public void start() {
        if (!participants.isEmpty()) {
            recovery.start();
        }
    }

    public TwoPhase twoPhase(Key key) {
        return new TwoPhaseCall(engine, participants, key, waitSeconds);
    }

    @Override
    public int recover() {
        return recovery.recover();
    }

    @Override
    public List<Branch> list() {
        return store.list();
    }

    @Override
    public boolean close(UUID token, String participant, String reason, String by) {
        return store.close(token, participant, reason, by);
    }

    @Override
    public void close() {
        recovery.close();
        participants.values().forEach(Sessions::close);
    }
}
