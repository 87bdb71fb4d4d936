package dev.hapax;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.TemporalAccessor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** The shape of the library, as the design gives it. A rule that is in the way wants thought before it wants an exception. */
class ArchitectureTest {
    /** The one class that may ask the machine for time, chance and new ids. */
    private static final String SYSTEM_SOURCE = "dev.hapax.internal.SystemSource";

    private static final String STEPPED = "dev.hapax.internal.consume.SteppedConsumer";

    private static final List<String> FEATURES = List.of(
            "once",
            "log",
            "consume",
            "claim",
            "event",
            "saga",
            "twophase",
            "audit",
            "reconcile",
            "slo",
            "control",
            "schema");

    /** The features that build on everything; nothing builds on them. */
    private static final List<String> LAST = List.of("saga", "reconcile");

    private static final double PUBLIC_SHARE_MAX = 0.45;

    private static final JavaClasses CORE = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.hapax");

    @Test
    void once_knows_no_other_feature() {
        String[] others = packages(
                FEATURES.stream().filter(feature -> !feature.equals("once")).toList());
        check(noClasses()
                .that()
                .resideInAPackage("dev.hapax.once..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(others)
                .because("everything else is built on once"));
    }

    @Test
    void no_feature_builds_on_the_last_ones() {
        for (String last : LAST) {
            String[] others = packages(
                    FEATURES.stream().filter(feature -> !feature.equals(last)).toList());
            check(noClasses()
                    .that()
                    .resideInAnyPackage(others)
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("dev.hapax." + last + ".."));
        }
    }

    @Test
    void features_build_on_each_other_without_circles() {
        check(slices().matching("dev.hapax.(*)..")
                .should()
                .beFreeOfCycles()
                .ignoreDependency(resideInAPackage("dev.hapax.internal.."), DescribedPredicate.alwaysTrue())
                .ignoreDependency(DescribedPredicate.alwaysTrue(), resideInAPackage("dev.hapax.internal.."))
                .allowEmptyShould(true));
    }

    @Test
    void what_others_implement_knows_no_feature() {
        check(noClasses()
                .that()
                .resideInAPackage("dev.hapax.spi..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(packages(FEATURES)));
    }

    @Test
    void the_public_interface_shows_nothing_internal() {
        check(methods()
                .that()
                .arePublic()
                .and()
                .areDeclaredInClassesThat()
                .arePublic()
                .and()
                .areDeclaredInClassesThat()
                .resideOutsideOfPackage("dev.hapax.internal..")
                .should(new ArchCondition<>("have no internal type in their signature") {
                    @Override
                    public void check(JavaMethod method, ConditionEvents events) {
                        List<JavaClass> shown = new ArrayList<>(method.getRawParameterTypes());
                        shown.add(method.getRawReturnType());
                        boolean internal = shown.stream()
                                .anyMatch(type -> type.getPackageName().startsWith("dev.hapax.internal"));
                        if (internal) {
                            events.add(SimpleConditionEvent.violated(method, method.getDescription()));
                        }
                    }
                }));
    }

    @Test
    void time_chance_and_identity_come_from_one_class() {
        DescribedPredicate<JavaAccess<?>> machine =
                describe("the machine's own time, chance or identity", access -> asksTheMachine(access.getTarget()));
        check(noClasses()
                .that()
                .doNotHaveFullyQualifiedName(SYSTEM_SOURCE)
                .should()
                .accessTargetWhere(machine)
                .because("a seed is to own time, order and chance; " + SYSTEM_SOURCE + " stands in for it"));
    }

    private static boolean asksTheMachine(AccessTarget target) {
        JavaClass owner = target.getOwner();
        String name = target.getName();
        return owner.isEquivalentTo(System.class)
                        && Set.of("currentTimeMillis", "nanoTime").contains(name)
                || owner.isEquivalentTo(Clock.class) && name.startsWith("system")
                || owner.isEquivalentTo(Instant.class) && name.equals("now")
                || owner.isAssignableTo(TemporalAccessor.class) && name.equals("now")
                || owner.isEquivalentTo(Math.class) && name.equals("random")
                || owner.isEquivalentTo(UUID.class) && name.equals("randomUUID")
                || owner.isAssignableTo(Random.class)
                        && Set.of("<init>", "current").contains(name)
                || owner.isAssignableTo(RandomGenerator.class)
                        && Set.of("<init>", "of", "getDefault").contains(name);
    }

    /** Crash points lie in what the testkit wraps around a data source. There is nothing here that could be switched on, and so nothing that costs anything. */
    @Test
    void nothing_in_production_knows_of_crash_points() {
        check(noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.hapax.testkit..")
                .because("in production crash points must be inert"));
        check(noClasses()
                .that()
                .doNotHaveFullyQualifiedName(STEPPED)
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName(STEPPED)
                .because("a consumer that is run by hand is for the testkit alone"));
        check(noClasses().should().haveNameMatching("(?i).*(crash|tripwire|failpoint|faultinjec).*"));
    }

    @Test
    void public_classes_are_final() {
        DescribedPredicate<JavaClass> concrete = describe(
                "concrete",
                type -> !type.isInterface()
                        && !type.isEnum()
                        && !type.getModifiers().contains(JavaModifier.ABSTRACT)
                        // A family of errors is caught by its head.
                        && !(type.isAssignableTo(Throwable.class)
                                && !type.getSubclasses().isEmpty()));
        check(classes().that().arePublic().and(concrete).should().haveModifier(JavaModifier.FINAL));
    }

    @Test
    void most_types_are_hidden() {
        List<JavaClass> types = CORE.stream()
                .filter(JavaClass::isTopLevelClass)
                .filter(type -> !type.getSimpleName().equals("package-info"))
                // An error is there to be caught by name; hiding one is no gain.
                .filter(type -> !type.isAssignableTo(Throwable.class))
                .toList();
        List<String> open = types.stream()
                .filter(type -> type.getModifiers().contains(JavaModifier.PUBLIC))
                // What features share among each other has to be public for the compiler; to callers it is hidden all
                // the same.
                .filter(type -> !type.getPackageName().startsWith("dev.hapax.internal"))
                .map(JavaClass::getName)
                .sorted()
                .toList();
        assertThat((double) open.size())
                .as("public top-level types among %d: %s", types.size(), open)
                .isLessThanOrEqualTo(types.size() * PUBLIC_SHARE_MAX);
    }

    private static void check(ArchRule rule) {
        rule.allowEmptyShould(true).check(CORE);
    }

    private static String[] packages(List<String> features) {
        return features.stream().map(feature -> "dev.hapax." + feature + "..").toArray(String[]::new);
    }
}
