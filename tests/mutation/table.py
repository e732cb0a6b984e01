"""Each safety rule and each part of it, how to switch it off in the shipped code, and the story that notices.

`where` names what is replaced, as `module:attribute`. The stories are tests that stand elsewhere; they pass
with the code as it is and fail with the rule off. docs/stories.md shows the table.
"""

from math import inf

from syncer.decide.serving import Serving
from syncer.model import TargetState, Why
from tests.mutation.extra import (
    a_group_that_does_not_answer_is_tried_again_in_growing_pauses,
    a_limit_is_obeyed_in_both_groups,
    botocore_sends_no_write_without_the_right_to,
    places_are_dealt_evenly_to_the_zones,
)
from tests.mutation.ways import (
    Switch,
    answering,
    at_once,
    brake,
    by_id,
    complete_anyway,
    counting,
    instead,
    may_send,
    never,
    nothing,
    of_nodes_that_are_there,
    one_by_one,
    waiting_anew,
    whoever_led_once,
    without_limit,
)
from tests.simulation import test_conflicts, test_controller, test_events, test_lag
from tests.simulation.ha import test_election, test_record, test_registry_rollout, test_two_replicas
from tests.unit.decide import test_brake, test_plan, test_quota, test_successor
from tests.unit.reconcile import test_check_port

_LOOP = test_controller
_OURS = test_plan.TestOwnership()
_FULL = test_successor.TestAtTheQuota()
_CONFIRM = test_brake.TestConfirm()

SWITCHES = (
    Switch(
        rule="1 complete list",
        where="syncer.decide.removal:_kept",
        off=complete_anyway,
        story=test_plan.test_a_part_of_the_node_list_registers_but_removes_nothing,
    ),
    brake(
        "2 share",
        "syncer.decide.capacity:floor_of",
        answering(1),
        "10 for 10, all old ones leaving together",
    ),
    brake(
        "2 last serving",
        "syncer.decide.brake:Brake._too_few",
        never(Why.LAST_SERVING),
        "scale to zero: the last target stays until it is dead or another target serves",
    ),
    Switch(
        rule="2 last registered",
        where="syncer.decide.brake:Brake._last_registered",
        off=answering(None),
        story=test_plan.test_the_last_registered_target_stays_even_if_it_does_not_serve,
    ),
    Switch(
        rule="2 AWS fails open",
        where="syncer.decide.capacity:serving_among",
        off=answering(Serving(frozenset(), frozenset())),
        story=test_plan.test_without_a_healthy_target_all_serve_because_aws_fails_open,
    ),
    brake(
        "2 doubtful: all together or none",
        "syncer.decide.brake:Brake.release_together",
        one_by_one,
        "an empty but complete node list",
    ),
    brake(
        "2 a deadline waits for the share",
        "syncer.decide.removal:Removals._patience_left",
        at_once,
        "2 of 3 reclaimed with a third that comes in time",
    ),
    Switch(
        rule="2 but no longer than a minute",
        where="syncer.decide.removal:Removals._patience_left",
        off=answering(inf),
        story=test_brake.test_a_deadline_waits_for_the_share_at_most_a_minute,
    ),
    Switch(
        rule="2 announced before the Node was deleted",
        where="syncer.decide.plan:notices",
        off=of_nodes_that_are_there,
        story=test_brake.test_a_held_announced_target_is_still_announced_when_its_node_is_gone,
    ),
    Switch(
        rule="2 deadlines first",
        where="syncer.decide.removal:Removals._in_order",
        off=lambda _: lambda _removals, targets: sorted(targets),
        story=test_brake.test_deadlines_go_before_labels_and_labels_before_cordons,
    ),
    Switch(
        rule="2 base of ten minutes",
        where="syncer.decide.capacity:remember",
        off=lambda _: lambda _peaks, count, now, _window: ((now, count),),
        story=test_brake.test_the_base_covers_ten_minutes_and_no_more,
    ),
    Switch(
        rule="2 what drains counts into it",
        where="syncer.decide.capacity:drains_since",
        off=answering({}),
        story=test_brake.test_draining_targets_count_into_the_base_because_they_are_recent_removals,
    ),
    brake(
        "2 each zone, with cross-zone off",
        "syncer.decide.capacity:_scopes_of",
        answering(lambda _target: ("",)),
        "one zone's nodes leaving with cross-zone off: its last target stays",
    ),
    Switch(
        rule="2 a confirmation is of one hold",
        where="syncer.decide.removal:hold_id",
        off=answering("this"),
        story=_CONFIRM.test_another_set_does_not,
    ),
    Switch(
        rule="2 and expires",
        where="syncer.reconcile.confirmations:CONFIRMED_S",
        off=instead(1e9),
        story=test_record.test_a_confirmed_hold_is_released_within_10_seconds_and_not_by_an_old_confirmation,
    ),
    Switch(
        rule="2 a removal without an answer is read back",
        where="syncer.errors:UnreachableError.unsure",
        off=instead(False),
        story=_LOOP.test_after_a_removal_whose_answer_was_lost_the_group_is_read_before_anything_else_goes,
    ),
    Switch(
        rule="3 quarantine",
        where="syncer.reconcile.quarantine:Refusals.releases",
        off=answering({}),
        story=_LOOP.test_a_target_refused_alone_is_quarantined_after_any_number_of_searches,
    ),
    Switch(
        rule="3 the others get through",
        where="syncer.reconcile.writer:Writer._apart",
        off=answering(None),
        story=_LOOP.test_an_instance_that_does_not_run_keeps_no_other_out_and_joins_when_it_runs,
    ),
    Switch(
        rule="3 the others leave",
        where="syncer.reconcile.writer:Writer._apart",
        off=answering(None),
        story=lambda: _LOOP.test_a_target_that_aws_does_not_deregister_blocks_no_other_target(named=True),
        called="a target that aws does not let go keeps no other one",
    ),
    Switch(
        rule="4 make before break",
        where="syncer.decide.removal:Removals._succeeded",
        off=answering(True),
        story=_LOOP.test_a_new_node_port_replaces_the_old_targets_only_when_its_own_are_healthy,
    ),
    Switch(
        rule="4 a bounded wait",
        where="syncer.decide.plan:succeeding",
        off=waiting_anew,
        story=test_successor.test_the_wait_for_a_successor_is_bounded_by_five_minutes,
    ),
    Switch(
        rule="4 at the quota one step at a time",
        where="syncer.decide.plan:_step",
        off=answering(1000),
        story=_FULL.test_the_order_turns_round_one_step_at_a_time,
    ),
    Switch(
        rule="5 quota: the limit",
        where="syncer.config.settings:Settings.plan_policy",
        off=without_limit,
        story=a_limit_is_obeyed_in_both_groups,
    ),
    Switch(
        rule="5 one choice for all groups",
        where="syncer.decide.desired:places_in",
        off=answering(None),
        story=test_quota.test_every_group_gets_the_choice_of_the_one_with_the_least_room,
    ),
    Switch(
        rule="5 an even and stable choice",
        where="syncer.decide.desired:subset",
        off=by_id,
        story=places_are_dealt_evenly_to_the_zones,
    ),
    Switch(
        rule="5 zones that are served",
        where="syncer.decide.desired:ZoneRules.served",
        off=lambda _: lambda _rules, _instance, intent, _idle: intent,
        story=test_quota.TestZones().test_a_node_in_a_zone_that_the_load_balancer_does_not_serve_is_out,
    ),
    Switch(
        rule="6 foreign, in tracked",
        where="syncer.decide.removal:_kept",
        off=never(Why.FOREIGN),
        story=_OURS.test_a_foreign_target_survives_in_tracked,
    ),
    Switch(
        rule="6 foreign, in exclusive, before an own target is healthy",
        where="syncer.decide.removal:_may_be_cleared",
        off=answering(True),
        story=_OURS.test_in_exclusive_foreign_targets_stay_until_one_of_our_own_is_healthy,
    ),
    Switch(
        rule="6 add-only",
        where="syncer.decide.removal:_kept",
        off=never(Why.ADD_ONLY),
        story=_OURS.test_add_only_removes_nothing,
    ),
    Switch(
        rule="6 recorded on the first read",
        where="syncer.decide.plan:adopted",
        off=answering(set()),
        story=_OURS.test_a_leaving_node_met_right_after_a_start_is_ours,
    ),
    Switch(
        rule="6 recorded before it is registered",
        where="syncer.reconcile.registry:Registry.save",
        off=nothing,
        story=test_record.test_a_target_is_recorded_before_it_is_registered_at_one_write_for_both_groups,
    ),
    Switch(
        rule="6 reread by a returning leader",
        where="syncer.reconcile.registry:Registry.forget",
        off=answering(None),
        story=test_record.test_a_returning_leader_rereads_the_registry,
    ),
    Switch(
        rule="6 what a former version removed is not owned",
        where="syncer.reconcile.registry:marked",
        off=lambda _: frozenset,
        story=test_registry_rollout.test_what_version_0_1_removed_is_not_owned_when_this_version_leads_again,
    ),
    Switch(
        rule="6 removed from the registry when it is gone",
        where="syncer.decide.ownership:_listed",
        off=lambda _: lambda actual, target: target in actual.targets and actual.targets[target].registered,
        story=_OURS.test_a_target_leaves_the_registry_when_it_is_gone_and_not_when_it_drains,
    ),
    Switch(
        rule="7 draining is registered again",
        where="syncer.model:TargetHealth.__post_init__",
        off=counting(TargetState.DRAINING, registered=True),
        story=test_plan.test_a_draining_target_that_is_wanted_again_is_registered_again,
    ),
    Switch(
        rule="7 unhealthy.draining is registered",
        where="syncer.model:TargetHealth.__post_init__",
        off=counting(TargetState.UNHEALTHY_DRAINING, registered=False),
        story=test_plan.test_an_unhealthy_draining_target_is_registered_and_left_alone,
    ),
    Switch(
        rule="7 contested",
        where="syncer.reconcile.conflicts:Conflicts.now",
        off=answering({}),
        story=test_conflicts.test_a_target_that_another_writer_deregisters_three_times_is_quarantined_for_ten_minutes,
    ),
    Switch(
        rule="7 AWS lag proves no other writer",
        where="syncer.reconcile.own_writes:OwnWrites._may_lag",
        off=answering(False),
        story=test_lag.test_b4_what_aws_lost_is_written_again_after_a_minute,
    ),
    Switch(
        rule="2 a new leader counts only targets that are certain",
        where="syncer.decide.brake:Brake.discount",
        off=answering(None),
        story=test_lag.test_b4_a_new_leader_whose_reads_lag_takes_no_serving_target,
    ),
    Switch(
        rule="6 a new leader removes no record of a target that may exist",
        where="syncer.reconcile.group:Group.take_over",
        off=lambda _: lambda group, now: group.require_fresh_read(now),
        story=test_lag.test_b4_a_new_leader_strikes_off_no_target_that_aws_does_not_show_yet,
    ),
    Switch(
        rule="8 drift is repaired",
        where="syncer.reconcile.reader:Reader._interval",
        off=answering(1e6),
        story=_LOOP.test_a_foreign_target_in_an_exclusive_group_is_gone_within_35_seconds,
    ),
    Switch(
        rule="8 a failed read freezes removals",
        where="syncer.decide.removal:_kept",
        off=never(Why.SHARE),
        story=_LOOP.test_a_failed_read_freezes_removals_but_not_registrations,
    ),
    Switch(
        rule="8 so does an old one",
        where="syncer.reconcile.observed_state:ObservedState.is_old",
        off=answering(False),
        story=_LOOP.test_a_resumed_process_removes_nothing_by_its_old_state,
    ),
    Switch(
        rule="8 stale health-check port",
        where="syncer.reconcile.recorder:stale_check_port",
        off=answering(None),
        story=test_check_port.test_it_is_reported_until_pulumi_has_followed_and_the_old_targets_stay_meanwhile,
    ),
    Switch(
        rule="9 the Lease before each write",
        where="syncer.reconcile.leader_election:LeaderElection.may_write",
        off=whoever_led_once,
        story=test_election.test_a_frozen_leader_does_not_write_when_it_resumes,
    ),
    Switch(
        rule="9 and before each attempt",
        where="syncer.elb.adapter:BotoElb._check",
        off=answering(None),
        story=botocore_sends_no_write_without_the_right_to,
    ),
    Switch(
        rule="9 a new leader reads first",
        where="syncer.reconcile.group:Group.require_fresh_read",
        off=answering(None),
        story=test_two_replicas.test_a_new_leader_reads_each_group_before_it_writes,
    ),
    Switch(
        rule="9 released at the end",
        where="syncer.reconcile.leader_election:LeaderElection.release",
        off=nothing,
        story=test_two_replicas.test_a_change_waits_at_most_2_seconds_for_the_successor_of_a_stopped_leader,
    ),
    Switch(
        rule="9 nothing begins after SIGTERM",
        where="syncer.reconcile.writer:Writer._may_send",
        off=may_send,
        story=_LOOP.test_a_removal_that_waits_behind_the_call_in_flight_at_sigterm_is_not_sent,
    ),
    Switch(
        rule="each hold is reported",
        where="syncer.reconcile.recorder:Recorder.held",
        off=answering(None),
        story=test_events.test_a_hold_is_reported_with_its_rule_and_its_id,
    ),
    Switch(
        rule="no refused call is repeated at once",
        where="syncer.reconcile.backoff:Backoff.next",
        off=answering(0.01),
        story=a_group_that_does_not_answer_is_tried_again_in_growing_pauses,
    ),
)


def as_markdown() -> str:
    """The table as docs/stories.md shows it."""
    lines = ["| rule and part | switched off in | scenario that fails |", "|---|---|---|"]
    lines += [f"| {each.rule} | `{each.where}` | {each.name} |" for each in SWITCHES]
    return "\n".join(lines) + "\n"
