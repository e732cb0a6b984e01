// Converts a page of /status into the rows and lines for page.js. This file never touches the document.
"use strict";

const STALE_S = 120; // a pass is due once a minute at least

const STATES = {
  healthy: ["●", "good"], initial: ["◔", "wait"], unhealthy: ["▲", "bad"], "unhealthy.draining": ["▲", "bad"],
  draining: ["↓", "wait"], unused: ["○", "wait"], unavailable: ["?", "wait"], absent: ["–", "quiet"],
};
const VERDICTS = { in: ["✓", "good"], leaving: ["↓", "wait"], out: ["–", "quiet"], "no node": ["?", "wait"] };
const SOURCES = { aws: "AWS's target list", "provider-id": "its providerID", label: "its label" };

function groupCells(group) {
  const cells = new Map();
  const add = (target) => {
    const known = cells.get(target.id);
    if (known) known.push(target); else cells.set(target.id, [target]);
  };
  const listed = new Set();
  const retries = new Map((group.quarantined || []).map((each) => [each.id + ":" + each.port, each.retry_in]));
  for (const target of group.targets) {
    const name = target.id + ":" + target.port;
    listed.add(name);
    add(retries.has(name) ? { ...target, retry_in: retries.get(name) } : target);
  }
  const absent = (target, next, why) => {
    if (!listed.has(target.id + ":" + target.port)) add({ ...target, state: "absent", reason: "", override: "", next, why });
  };
  for (const target of group.register) absent(target, "register", "");
  for (const target of group.deregister) absent(target, "deregister", "");
  for (const target of group.held) {
    absent({ ...target, retry_in: retries.get(target.id + ":" + target.port) }, "hold", target.why);
  }
  return cells;
}

// The syncer chooses, orders and judges the rows.
function rowsOf(status) {
  const across = status.groups.map(groupCells);
  const nodes = new Map(status.nodes.map((node) => [node.node, node]));
  return status.rows.map(({ node: name, instance_id, unwell }) => {
    const id = instance_id || "";
    const node = nodes.get(name) || { verdict: "no node", reason: "NoNode", zone: zoneOf(id, across) };
    return row(status, name || "", id, node, unwell, across);
  });
}

function zoneOf(id, across) {
  return across.flatMap((cells) => cells.get(id) || []).map((target) => target.zone || "").find(Boolean) || "";
}

function row(status, name, id, { zone, verdict, reason, zone_source }, unwell, across) {
  const cells = across.map((group) => group.get(id) || []);
  const place = reason === "ZoneNotEnabled" ? " (" + zone + ", by " + SOURCES[zone_source] + ")" : "";
  const sentence = (status.sentences[reason] || "") + place;
  return { key: name + " " + id, name, id, zone, verdict, reason, sentence, cells, well: !unwell };
}

// Null is the group's own port, with a number unknown to the syncer.
const portOf = (port) => port === null ? " on the group's own port" : " :" + port;

function healthOf(group) {
  const registered = group.registered + " registered";
  if (group.blind) return [STATES.unavailable, "unknown of " + registered];
  if (!group.fresh && !group.registered) return [STATES.absent, "not read yet"];
  const state = !group.healthy ? "unhealthy" : group.healthy === group.registered ? "healthy" : "initial";
  return [STATES[state], group.healthy + " of " + registered];
}

// An unchanged answer is not sent again: its ages have grown since.
const aged = (status, seconds) => ({ ...status, groups: status.groups.map((group) => ({ ...group,
  last_good_pass_age: group.last_good_pass_age === null ? null : group.last_good_pass_age + seconds })) });

const isStale = (age) => age === null || age > STALE_S;

function agoOf(seconds) {
  if (seconds === null) return "none yet";
  if (seconds < 120) return Math.round(seconds) + " s ago";
  return seconds < 7200 ? Math.round(seconds / 60) + " min ago" : Math.round(seconds / 3600) + " h ago";
}

function problemsOf(group) {
  const port = group.stale_check_port;
  return [group.problem, !group.blind && group.read_problem, group.waiting_for && "waits for " + group.waiting_for,
    port && "the health check uses port " + port + ", which the Service no longer has: run pulumi up"].filter(Boolean);
}

function groupItem(group) {
  return { key: group.target_group, name: group.name, blind: group.blind && group.read_problem, fresh: group.fresh, port: group.port, healthy: group.healthy,
    registered: group.registered, shifted: group.shifted, own_port: group.own_port, serving: group.serving, base: group.base, floor: group.floor,
    held_by: group.totals.held_by, causes: group.totals.causes, hold_id: group.hold_id, age: group.last_good_pass_age,
    problems: problemsOf(group),
    next: { register: group.totals.register, deregister: group.totals.deregister } };
}

function flagsOf(status) {
  const flags = [{ key: "ready", tone: status.ready ? "" : "wait", text: status.ready ? "ready" : "not ready" }];
  if (status.leader !== undefined) flags.push({ key: "leader", tone: "", text: status.leader ? "leader"
    : status.paused || status.election ? "standby" : "standby: another replica is the leader" });
  if (status.paused) flags.push({ key: "paused", tone: "wait", text: "paused: writes nothing" });
  if (status.blind) flags.push({ key: "blind", tone: "wait", text: "blind: AWS denies reads of the groups" });
  return [...flags, { key: "ownership", tone: "", text: status.ownership }];
}

function headline(status, nodes, unwell) {
  if (!status.ready) return [STATES.initial, "Not ready: " + status.waiting_for];
  const named = (groups) => groups.map((group) => group.name).join(", ");
  const dead = status.groups.filter((group) => group.fresh && !group.blind && !group.healthy);
  if (dead.length) return [STATES.unhealthy, "No target is healthy in " + named(dead)];
  const left = status.groups.filter((group) => problemsOf(group).length
    || (status.leader !== false && isStale(group.last_good_pass_age)));
  if (left.length) return [STATES.unhealthy, named(left) + ": not reconciled, see below"];
  if (unwell) return [STATES.unused, unwell + " of " + nodes + " not in the desired state yet"];
  if (status.problems.length) return [STATES.unused, "The nodes are in the desired state, with other problems: see below"];
  if (status.blind) return [STATES.unavailable, "All " + nodes + " are registered; AWS denies reads of their health"];
  return [STATES.healthy, nodes === 1 ? "The node is in the desired state" : "All " + nodes + " are in the desired state"];
}
