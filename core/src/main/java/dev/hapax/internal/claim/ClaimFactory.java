package dev.hapax.internal.claim;

import dev.hapax.Key;
import dev.hapax.claim.Claim;
import dev.hapax.claim.ClaimKind;
import dev.hapax.claim.ClaimKindBuilder;
import dev.hapax.claim.Claims;
import dev.hapax.internal.Checks;
import dev.hapax.internal.Names;
import dev.hapax.internal.SqlFaults;
import dev.hapax.internal.once.Settlements;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Makes claims, and knows the kinds that this process runs. Safe for use by many threads. */
public final class ClaimFactory implements AutoCloseable {

    private final ClaimEngine engine;
    private final Map<String, ClaimKind<?, ?>> kinds = new ConcurrentHashMap<>();

    public ClaimFactory(String service, Settlements settlements, Names names) {
        this.engine = new ClaimEngine(service, settlements, names);
    }

    public <T> Claim<T> claim(Key key, Class<T> type) {
        return new ClaimCall<>(engine, key, type);
    }

    public <R, T> ClaimKindBuilder<R, T> kind(String scope, Class<R> request, Class<T> answer) {
        return new KindSettings<>(engine, Checks.name("scope", scope), request, answer, this::start);
    }

    public Claims stored() {
        return new StoredClaims(engine);
    }

    private <R, T> ClaimKind<R, T> start(KindSettings<R, T> settings) {
        try {
            RunningKind<R, T> kind = new RunningKind<>(
                    settings,
                    new KindWorker<>(settings, engine.scope(settings.scope)),
                    () -> kinds.remove(settings.scope));
            Checks.state(
                    kinds.putIfAbsent(settings.scope, kind) == null,
                    "this process already runs claims of %s; raise their concurrency(…) instead",
                    settings.scope);
            kind.start();
            return kind;
        } catch (SQLException e) {
            throw SqlFaults.translate("claims of " + settings.scope + " could not be started", e);
        }
    }

    @Override
    public void close() {
        List.copyOf(kinds.values()).forEach(ClaimKind::close);
        engine.close();
    }
}
