"""Jobs move only as the table says, and always come to an end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from impasto_protocol.errors import IllegalTransitionError
from impasto_protocol.states import FIRST_STATE, TERMINAL_STATES, TRANSITIONS, JobState, check_transition


class AnyJob(RuleBasedStateMachine):
    """Tries every state after every other."""

    def __init__(self) -> None:
        super().__init__()
        self.history = [FIRST_STATE]

    @rule(wanted=st.sampled_from(JobState))
    def try_to_become(self, wanted: JobState) -> None:
        now = self.history[-1]
        if wanted in TRANSITIONS[now]:
            check_transition(now, wanted)
            self.history.append(wanted)
        else:
            with pytest.raises(IllegalTransitionError, match=f"is {now} cannot become {wanted}"):
                check_transition(now, wanted)

    @invariant()
    def nothing_follows_a_final_state(self) -> None:
        assert not TERMINAL_STATES & set(self.history[:-1])

    @invariant()
    def only_a_started_job_succeeds(self) -> None:
        if JobState.SUCCEEDED in self.history:
            assert JobState.STARTING in self.history

    @invariant()
    def a_job_that_is_being_cancelled_paints_no_more_unless_it_is_interrupted(self) -> None:
        if JobState.CANCELLING in self.history:
            after = self.history[self.history.index(JobState.CANCELLING) + 1 :]
            assert set(after[:1]) <= {JobState.INTERRUPTED, *TERMINAL_STATES}


TestAnyJob = AnyJob.TestCase


def test_the_table_has_every_state() -> None:
    assert set(TRANSITIONS) == set(JobState)
    assert {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED} == TERMINAL_STATES


@given(st.sampled_from(JobState))
def test_an_end_can_be_reached_from_everywhere(state: JobState) -> None:
    reached, edge = {state}, {state}
    while edge:
        edge = {following for one in edge for following in TRANSITIONS[one]} - reached
        reached |= edge
    assert reached & TERMINAL_STATES


def test_every_state_can_be_reached() -> None:
    assert {FIRST_STATE}.union(*TRANSITIONS.values()) == set(JobState)
