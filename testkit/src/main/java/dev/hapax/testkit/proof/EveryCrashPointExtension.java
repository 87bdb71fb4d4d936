package dev.hapax.testkit.proof;

import dev.hapax.testkit.EmbeddedDatabase;
import java.lang.reflect.Method;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;

/** Lets a method describe its scenario, then explores it. */
final class EveryCrashPointExtension implements ParameterResolver, InvocationInterceptor {

    private static final ExtensionContext.Namespace NAMESPACE =
            ExtensionContext.Namespace.create(EveryCrashPointExtension.class);

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Proof.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return proof(context);
    }

    private static Proof proof(ExtensionContext context) {
        Proof proof = new Proof(context.getRequiredTestMethod().getName());
        context.getStore(NAMESPACE).put(Proof.class, proof);
        return proof;
    }

    @Override
    public void interceptTestMethod(
            Invocation<@Nullable Void> invocation, ReflectiveInvocationContext<Method> method, ExtensionContext context)
            throws Throwable {
        invocation.proceed();
        Proof proof = context.getStore(NAMESPACE).get(Proof.class, Proof.class);
        if (proof == null || proof.scenarios().isEmpty()) {
            throw new IllegalStateException(
                    "the test describes no scenario; it needs a parameter of type Proof, and a call of its of(…)");
        }
        EveryCrashPoint settings = context.getRequiredTestMethod().getAnnotation(EveryCrashPoint.class);
        CrashPoints points = new CrashPoints(EmbeddedDatabase.shared());
        String rerun = "-Dtest=" + context.getRequiredTestClass().getSimpleName() + "#"
                + context.getRequiredTestMethod().getName() + " -Dhapax.trial=";
        for (ProofReport report : run(points, settings, proof.scenarios())) {
            context.publishReportEntry("proof", report.summary());
            if (!report.isProven()) {
                throw new AssertionError(report.describe(rerun));
            }
        }
    }

    private static List<ProofReport> run(CrashPoints points, EveryCrashPoint settings, List<Scenario<?>> scenarios) {
        String only = System.getProperty("hapax.trial", "");
        if (!only.isEmpty()) {
            Trial trial = Trial.parse(only);
            return scenarios.stream()
                    .filter(scenario -> scenario.name().equals(trial.scenario()))
                    .map(scenario -> points.rerun(scenario, trial))
                    .toList();
        }
        points.modes(EnumSet.copyOf(List.of(settings.modes())))
                .variations(Set.of(settings.variations()), settings.samples())
                .pairs(settings.pairs())
                .schedules(settings.schedules())
                .seed(settings.seed())
                .threads(settings.threads());
        return (settings.everyRepeat() ? points : points.withoutLikes()).explore(scenarios);
    }
}
