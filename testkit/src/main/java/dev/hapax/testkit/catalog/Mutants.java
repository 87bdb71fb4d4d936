package dev.hapax.testkit.catalog;

import dev.hapax.Key;
import dev.hapax.testkit.proof.Invariants;
import java.util.List;

/** Wrong implementations, each of which must be caught by the invariant that is there for it. */
public final class Mutants {

    /** Without it a step that is recorded twice would be refused by the table, whoever wrote it. */
    private static final String NO_KEY = "ALTER TABLE hapax.saga_step DROP CONSTRAINT saga_step_pkey";

    private Mutants() {}

    /** {@return the mutants, made anew} */
    public static List<Mutant> all() {
        return List.of(
                new Mutant(
                        "marker in its own transaction",
                        OnceScenarios.plain("once-plain", OnceScenarios::key)
                                .mutated("marker in its own transaction", Mutations.markerInItsOwnTransaction()),
                        Invariants.ACKNOWLEDGED_IS_APPLIED),
                new Mutant(
                        "marker after the effect",
                        OnceScenarios.plain("once-plain", OnceScenarios::key)
                                .mutated("marker after the effect", Mutations.markerAfterEffect()),
                        Invariants.AT_MOST_ONCE),
                new Mutant(
                        "insert-and-catch",
                        OnceScenarios.value().mutated("insert-and-catch", Mutations.insertAndCatch()),
                        Invariants.RECOVERS),
                new Mutant(
                        "a batch taken for new is not refused",
                        OnceScenarios.batch()
                                .mutated("a batch taken for new is not refused", Mutations.repeatsInABatchPassedOver()),
                        Invariants.AT_MOST_ONCE),
                new Mutant(
                        "partition by arrival time",
                        OnceScenarios.plain("once-plain", OnceScenarios::key)
                                .tables(
                                        "SELECT hapax.ensure_partition('marker_30', CAST(now() AT TIME ZONE 'UTC' AS date) + 1)")
                                .mutated("partition by arrival time", Mutations.partitionByArrival()),
                        Invariants.AT_MOST_ONCE),
                new Mutant(
                        "window check by arrival time", OnceScenarios.late("once-late", true), Invariants.AT_MOST_ONCE),
                new Mutant(
                        "a retry that makes a new key",
                        OnceScenarios.plain(
                                "once-plain",
                                operation -> Key.of("orders", operation.id() + "/" + operation.attempt())
                                        .at(operation.time())),
                        Invariants.AT_MOST_ONCE),
                new Mutant(
                        "acknowledge before commit",
                        OnceScenarios.plain("once-plain", OnceScenarios::key).acknowledgedFirst(),
                        Invariants.ACKNOWLEDGED_IS_APPLIED),
                new Mutant(
                        "position committed before the effect",
                        ConsumerScenarios.effect()
                                .mutated(
                                        "position committed before the effect",
                                        Mutations.positionBeforeEffect("INSERT INTO handled")),
                        Invariants.POSITION_BEHIND_EFFECTS),
                new Mutant(
                        "position committed after the effect",
                        ConsumerScenarios.effect()
                                .mutated("position committed after the effect", Mutations.positionAfterEffect()),
                        Invariants.AT_MOST_ONCE),
                new Mutant(
                        "fencing token not compared",
                        ConsumerScenarios.effect().mutated("fencing token not compared", Mutations.fencingOff()),
                        Invariants.AT_MOST_ONCE),
                new Mutant(
                        "lease on the machine's own clock",
                        ConsumerScenarios.effect()
                                .mutated("lease on the machine's own clock", Mutations.leaseByOwnClock()),
                        Invariants.LEASES_ARE_KEPT),
                new Mutant(
                        "branches committed before the home",
                        TwoPhaseScenarios.committedBeforeHome(),
                        Invariants.AT_MOST_ONCE),
                new Mutant(
                        "branch rolled back without a fence",
                        TwoPhaseScenarios.rolledBackWithoutFence(),
                        Invariants.ACKNOWLEDGED_IS_APPLIED),
                new Mutant(
                        "branch committed without asking",
                        TwoPhaseScenarios.committedWithoutAsking(),
                        Invariants.AT_MOST_ONCE),
                new Mutant(
                        "a claim's token not compared",
                        ClaimScenarios.fenced(Mutations.tokenOfClaimsNotCompared()),
                        Invariants.RECOVERS),
                new Mutant(
                        "another system called inside the transaction",
                        ClaimScenarios.inTransaction(),
                        Invariants.AT_MOST_ONCE),
                new Mutant(
                        "another system called again without asking",
                        ClaimScenarios.notAsked(),
                        Invariants.AT_MOST_ONCE),
                new Mutant(
                        "another key for another system in each try",
                        ClaimScenarios.idempotent("claim-idempotent", 1),
                        Invariants.AT_MOST_ONCE),
                new Mutant(
                        "a claim taken over for an intent of one's own",
                        ClaimScenarios.takenOver()
                                .mutated(
                                        "a claim taken over for an intent of one's own",
                                        Mutations.takenOverAsAnIntent()),
                        Invariants.AT_MOST_ONCE),
                new Mutant(
                        "token and state of a saga not compared",
                        SagaScenarios.sleep()
                                .tables(NO_KEY)
                                .mutated("token and state of a saga not compared", Mutations.sagaFencingOff()),
                        Invariants.AT_MOST_ONCE),
                new Mutant(
                        "a saga's step recorded after its effect",
                        SagaScenarios.forward()
                                .mutated("a saga's step recorded after its effect", Mutations.sagaStepAfterEffect()),
                        Invariants.AT_MOST_ONCE),
                new Mutant(
                        "a compensation recorded after its effect",
                        SagaScenarios.compensation()
                                .mutated("a compensation recorded after its effect", Mutations.sagaStepAfterEffect()),
                        Invariants.AT_MOST_ONCE),
                new Mutant(
                        "a restart runs finished steps again",
                        SagaScenarios.forward()
                                .tables(NO_KEY)
                                .mutated("a restart runs finished steps again", Mutations.sagaForgets()),
                        Invariants.AT_MOST_ONCE),
                new Mutant(
                        "a claim's intent is committed before what it belongs to",
                        ClaimKindScenarios.intentByItself(),
                        ClaimKindScenarios.ASKED_FOR),
                new Mutant(
                        "a stream's version is not compared",
                        EventScenarios.decisions()
                                .mutated("a stream's version is not compared", Mutations.versionNotCompared()),
                        EventScenarios.DECIDED),
                new Mutant(
                        "a projection does not wait for its turn",
                        EventScenarios.append()
                                .mutated("a projection does not wait for its turn", Mutations.projectionWithoutTurn()),
                        Invariants.AT_MOST_ONCE));
    }
}
