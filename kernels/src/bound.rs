//! An operation's typed plans as [`Plan`]s, which know the problem and the device that they are for.

use crate::{Demand, Plan, Program, Unit};
use accelbench_backends::Caps;

/// One way to compute problems of type `P`; the methods are those of [`Plan`].
pub(crate) trait TypedPlan<P> {
    fn variant(&self) -> String;

    fn name(&self) -> String;

    fn program(&self, problem: &P, caps: &Caps) -> Program;

    fn unit(&self) -> Unit;

    fn sizes(&self) -> Vec<u32>;

    fn demand(&self, problem: &P) -> Option<Demand>;
}

/// A plan together with the problem and the device that it is for.
struct Bound<T, P> {
    plan: T,
    problem: P,
    caps: Caps,
}

/// Ties plans to their problem and device.
pub(crate) fn bind<T, P>(plans: Vec<T>, problem: &P, caps: &Caps) -> Vec<Box<dyn Plan>>
where
    T: TypedPlan<P> + 'static,
    P: Clone + 'static,
{
    let bound = |plan| Bound { plan, problem: problem.clone(), caps: caps.clone() };
    plans.into_iter().map(|plan| Box::new(bound(plan)) as Box<dyn Plan>).collect()
}

impl<T: TypedPlan<P>, P> Plan for Bound<T, P> {
    fn variant(&self) -> String {
        self.plan.variant()
    }

    fn name(&self) -> String {
        self.plan.name()
    }

    fn program(&self) -> Program {
        self.plan.program(&self.problem, &self.caps)
    }

    fn unit(&self) -> Unit {
        self.plan.unit()
    }

    fn sizes(&self) -> Vec<u32> {
        self.plan.sizes()
    }

    fn demand(&self) -> Option<Demand> {
        self.plan.demand(&self.problem)
    }
}
