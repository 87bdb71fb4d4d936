package dev.hapax.testkit.catalog;

import dev.hapax.testkit.proof.Mutation;
import dev.hapax.testkit.proof.Node;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** How Hapax is made wrong, without a hook in it: by what it says to its database. */
final class Mutations {

    private static final String UNIQUE_VIOLATION = "23505";

    private Mutations() {}

    private static boolean isMarker(String sql) {
        return sql.startsWith("INSERT INTO hapax.marker_");
    }

    private static boolean isMove(String sql) {
        return sql.startsWith("UPDATE hapax.position p SET low");
    }

    /** The marker is committed by itself, and then the effect. */
    static Mutation markerInItsOwnTransaction() {
        return new Mutation() {
            @Override
            public @Nullable Object execute(Statement statement) throws SQLException {
                Object result = statement.run();
                if (isMarker(statement.sql()) && statement.inTransaction()) {
                    statement.commit();
                }
                return result;
            }
        };
    }

    /** It is looked whether the key is new; then the effect is committed, and then the marker is written. */
    static Mutation markerAfterEffect() {
        return new Mutation() {
            private final Map<Connection, Repeat> pending = new ConcurrentHashMap<>();

            @Override
            public @Nullable Object execute(Statement statement) throws SQLException {
                if (!isMarker(statement.sql()) || !statement.inTransaction()) {
                    return statement.run();
                }
                Savepoint before = statement.raw().setSavepoint();
                Object result = statement.run();
                statement.raw().rollback(before);
                pending.put(statement.raw(), statement.later());
                return result;
            }

            @Override
            public void commit(Commit commit) throws SQLException {
                commit.run();
                Repeat marker = pending.remove(commit.raw());
                if (marker != null) {
                    marker.run();
                    commit.run();
                }
            }

            @Override
            public void rolledBack(Connection raw) {
                pending.remove(raw);
            }
        };
    }

    /** The position is committed, and then the effects are applied. */
    static Mutation positionBeforeEffect(String effect) {
        return new Mutation() {
            private final Map<Connection, List<Repeat>> pending = new ConcurrentHashMap<>();

            @Override
            public @Nullable Object execute(Statement statement) throws SQLException {
                if (!statement.sql().startsWith(effect) || !statement.inTransaction()) {
                    return statement.run();
                }
                pending.computeIfAbsent(statement.raw(), raw -> new ArrayList<>())
                        .add(statement.later());
                return 1;
            }

            @Override
            public void commit(Commit commit) throws SQLException {
                commit.run();
                List<Repeat> effects = pending.remove(commit.raw());
                if (effects != null) {
                    for (Repeat one : effects) {
                        one.run();
                    }
                    commit.run();
                }
            }

            @Override
            public void rolledBack(Connection raw) {
                pending.remove(raw);
            }
        };
    }

    /** The effects are committed, and then the position is moved. */
    static Mutation positionAfterEffect() {
        return new Mutation() {
            @Override
            public @Nullable Object execute(Statement statement) throws SQLException {
                if (isMove(statement.sql()) && statement.inTransaction()) {
                    statement.commit();
                }
                return statement.run();
            }
        };
    }

    /** A position is moved by whoever thinks that the lane is his. */
    static Mutation fencingOff() {
        return new Mutation() {
            @Override
            public String rewrite(String sql, Node node) {
                return isMove(sql)
                        ? sql.replace(" AND p.token = v.token", "")
                                .replace(" AND p.low = v.low_before", "")
                                .replace(" AND p.done = CAST(v.done_before AS int8multirange)", "")
                        : sql;
            }
        };
    }

    /** Leases are judged by each machine's own clock, and every other machine is an hour ahead. */
    static Mutation leaseByOwnClock() {
        return new Mutation() {
            @Override
            public String rewrite(String sql, Node node) {
                boolean lease = sql.contains("hapax.position") || sql.contains("hapax.member");
                return lease && node.number() % 2 == 0
                        ? sql.replace("clock_timestamp()", "(clock_timestamp() + interval '1 hour')")
                        : sql;
            }
        };
    }

    /** The marker lies in the partition of the day on which it arrived; a process that is started later is started a day later. */
    static Mutation partitionByArrival() {
        Pattern table = Pattern.compile("(hapax\\.marker_\\d+_)(\\d{8})");
        DateTimeFormatter compact = DateTimeFormatter.BASIC_ISO_DATE;
        return new Mutation() {
            @Override
            public String rewrite(String sql, Node node) {
                Matcher found = table.matcher(sql);
                if (node.number() == 1 || !found.find()) {
                    return sql;
                }
                LocalDate day = LocalDate.parse(found.group(2), compact);
                LocalDate next = day.plusDays(1);
                return sql.replace(found.group(), found.group(1) + next.format(compact))
                        .replace("'" + day + "'", "'" + next + "'");
            }
        };
    }

    /** A unique violation is caught and taken for "seen". */
    static Mutation insertAndCatch() {
        return new Mutation() {
            @Override
            public String rewrite(String sql, Node node) {
                return isMarker(sql) ? sql.replace(" ON CONFLICT DO NOTHING", "") : sql;
            }

            @Override
            public @Nullable Object execute(Statement statement) throws SQLException {
                try {
                    return statement.run();
                } catch (SQLException e) {
                    if (isMarker(statement.sql()) && UNIQUE_VIOLATION.equals(e.getSQLState())) {
                        return 0;
                    }
                    throw e;
                }
            }
        };
    }

    /** A batch that is taken for new passes over the keys that were seen, and is still taken for new. */
    static Mutation repeatsInABatchPassedOver() {
        return new Mutation() {
            @Override
            public String rewrite(String sql, Node node) {
                return isMarker(sql) && !sql.contains("ON CONFLICT") ? sql + " ON CONFLICT DO NOTHING" : sql;
            }
        };
    }

    /** No mutation: the database's clock, as Hapax asks for it, stands three days back until all operations are done. */
    static Mutation threeDaysBack() {
        return new Mutation() {
            @Override
            public String rewrite(String sql, Node node) {
                return node.isRedelivery() || !sql.startsWith("SELECT clock_timestamp()")
                        ? sql
                        : sql.replace("clock_timestamp()", "(clock_timestamp() - interval '3 days')");
            }
        };
    }

    /** No mutation: the leases and the back-offs of claims are over as soon as they begin, so that whoever comes takes over at once. */
    static Mutation leasesOfClaimsOver() {
        return new Mutation() {
            @Override
            public String rewrite(String sql, Node node) {
                return leasesOver(sql);
            }
        };
    }

    private static String leasesOver(String sql) {
        return sql.contains("hapax.claim") ? sql.replace("interval '1 millisecond'", "interval '0'") : sql;
    }

    /** A claim is settled, put off or given up by whoever thinks that it is his. */
    static Mutation tokenOfClaimsNotCompared() {
        return new Mutation() {
            @Override
            public String rewrite(String sql, Node node) {
                return leasesOver(sql).replace(" AND key = ? AND token = ?", " AND key = ? AND (token = ? OR true)");
            }
        };
    }

    /** Who takes a claim over does so under the name of its own intent. */
    static Mutation takenOverAsAnIntent() {
        return new Mutation() {
            @Override
            public String rewrite(String sql, Node node) {
                return sql.replace(
                        "SET token = nextval('hapax.claim_token'), owner = ?",
                        "SET token = nextval('hapax.claim_token'), owner = rtrim(?, '+')");
            }
        };
    }

    private static boolean isSagaStep(String sql) {
        return sql.contains("INSERT INTO hapax.saga_step") || sql.contains("hapax.saga_done");
    }

    /** A saga is written by whoever thinks that it is his, in whatever state it is. */
    static Mutation sagaFencingOff() {
        return new Mutation() {
            @Override
            public String rewrite(String sql, Node node) {
                return sql.replace("s.token = ? AND s.state = ?", "s.token >= ? AND s.state <> 'x' || ?");
            }
        };
    }

    /** The effect of a saga's step is committed, and then the step is recorded. */
    static Mutation sagaStepAfterEffect() {
        return new Mutation() {
            @Override
            public @Nullable Object execute(Statement statement) throws SQLException {
                if (isSagaStep(statement.sql()) && statement.inTransaction()) {
                    statement.commit();
                }
                return statement.run();
            }
        };
    }

    /** After a restart a saga begins anew: what was done is not read. */
    static Mutation sagaForgets() {
        return new Mutation() {
            @Override
            public String rewrite(String sql, Node node) {
                return sql.startsWith("SELECT name, nth, undo")
                        ? sql.replace("AND saga = ?", "AND saga = ? AND false")
                        : sql;
            }
        };
    }

    /** Events are appended at whatever version the stream has. */
    static Mutation versionNotCompared() {
        return new Mutation() {
            @Override
            public String rewrite(String sql, Node node) {
                return sql.replace(" WHERE name = ? AND version = ?", " WHERE name = ? AND (version = ? OR true)");
            }
        };
    }

    /** A page of a projection is handed over by whoever thinks that it is not done. */
    static Mutation projectionWithoutTurn() {
        return new Mutation() {
            @Override
            public String rewrite(String sql, Node node) {
                return sql.contains("FROM hapax.projection") ? sql.replace(" FOR UPDATE", "") : sql;
            }
        };
    }

    /** What is submitted is committed by itself. */
    static Mutation intentByItself() {
        return new Mutation() {
            @Override
            public String rewrite(String sql, Node node) {
                return leasesOver(sql);
            }

            @Override
            public @Nullable Object execute(Statement statement) throws SQLException {
                Object result = statement.run();
                if (statement.sql().startsWith("INSERT INTO hapax.claim ") && statement.inTransaction()) {
                    statement.commit();
                }
                return result;
            }
        };
    }
}
