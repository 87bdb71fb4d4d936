package dev.hapax.internal.saga;

import dev.hapax.internal.Checks;
import dev.hapax.saga.SagaParallel;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Branches of a saga, each on a thread of its own. They share what was done and what has come; each has its transactions to itself, and commits each step at once. How the run goes on is decided when all have come to a rest: so
 * what one finds out does not cut another off in the middle of a step. Used by the thread of its context.
 */
final class Branches implements SagaParallel {

    private static final int MOST = 100;

    private final SagaRun run;
    private final SagaContext context;
    private final List<Twig<?>> twigs = new ArrayList<>();
    private boolean joined;

    Branches(SagaRun run, SagaContext context) {
        this.run = run;
        this.context = context;
    }

    /** One branch, and what has become of it. Written by its thread, read after that has ended. */
    private final class Twig<R> implements Supplier<R>, Runnable {

        private final StepId id;
        private final Answering<R> code;
        private @Nullable R answer;
        private @Nullable Unwinding unwinding;
        private @Nullable Throwable failure;

        Twig(StepId id, Answering<R> code) {
            this.id = id;
            this.code = code;
        }

        @Override
        @SuppressWarnings("NullAway") // a branch may answer null
        public R get() {
            Checks.state(joined && failure == null, "branch %s has no answer before join()", id.shown());
            return answer;
        }

        @Override
        public void run() {
            SagaContext own = context.branch(id);
            try {
                try {
                    answer = code.call(own);
                    own.finish();
                } catch (Exception thrown) {
                    // It may have caught what was to end it.
                    own.checkUnwound();
                    failure = thrown;
                }
                own.commitOpen();
            } catch (Unwinding ending) {
                unwinding = ending.why() == Unwinding.Why.PARKED ? parked(own, ending) : ending;
            } catch (Throwable fatal) {
                failure = fatal;
            } finally {
                own.open().drop();
            }
        }

        /** What it waits for is written before the saga goes to sleep. */
        private Unwinding parked(SagaContext own, Unwinding parking) {
            try {
                own.commitOpen();
                return parking;
            } catch (Unwinding lost) {
                return lost;
            }
        }
    }

    @Override
    public SagaParallel run(String name, Branch code) {
        call(name, saga -> {
            code.run(saga);
            return true;
        });
        return this;
    }

    @Override
    public <R> Supplier<R> call(String name, Answering<R> code) {
        Checks.state(!joined, "branch %s is described after join()", name);
        Checks.range("branches", twigs.size() + 1, 1, MOST);
        Twig<R> twig = new Twig<>(context.branchId(name), code);
        twigs.add(twig);
        return twig;
    }

    @Override
    public void join() throws Exception {
        context.unwinding(() -> {
            context.joining();
            Checks.state(!joined, "branches are joined once");
            if (!context.isCollecting()) {
                context.commitOpen();
                run.ensureStored();
            }
            if (run.engine().isByHand()) {
                twigs.forEach(Twig::run);
            } else {
                runAll();
            }
            joined = true;
            for (Twig<?> twig : twigs) {
                if (twig.failure instanceof Error fatal) {
                    throw fatal;
                }
            }
            goOn();
            return run;
        });
        for (Twig<?> twig : twigs) {
            if (twig.failure instanceof Exception thrown) {
                throw thrown;
            }
        }
    }

    private void runAll() {
        List<Thread> threads = new ArrayList<>();
        for (Twig<?> twig : twigs) {
            threads.add(Thread.ofVirtual()
                    .name("hapax-saga-" + run.ground().shared().service() + "-" + twig.id.shown())
                    .start(twig));
        }
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    // Closing: the branches are told, and waited for; each is in a step at most.
                    interrupted = true;
                    threads.forEach(Thread::interrupt);
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** The gravest of what ended branches; if all that have not ended wait, the saga waits for the first of them. */
    private void goOn() {
        Unwinding gravest = null;
        Instant due = Instant.MAX;
        for (Twig<?> twig : twigs) {
            Unwinding unwinding = twig.unwinding;
            if (unwinding == null) {
                continue;
            }
            if (unwinding.why() == Unwinding.Why.PARKED && unwinding.due().isBefore(due)) {
                due = unwinding.due();
            }
            if (gravest == null || unwinding.why().gravity() > gravest.why().gravity()) {
                gravest = unwinding;
            }
        }
        if (gravest != null) {
            throw gravest.why() == Unwinding.Why.PARKED ? Unwinding.parked(due) : gravest;
        }
    }
}
