"""``pumphouse report``: the proof of what was carried, as text, JSON or a page."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from rich.text import Text

from .. import human
from . import command, text

if TYPE_CHECKING:
    from rich.console import Console


class Report(command.Command):
    """Report what a migration carried, field by field."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        command.add_migration(parser)
        command.add_format(parser, "table", "json", "html")
        parser.add_argument("-o", "--output", metavar="FILE", help="where to (default: standard output)")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Build and write it."""
        from ..migrations import report

        with self.store() as store:
            command.find_migration(store, parsed_args.id)
            built = report.build(store, parsed_args.id)
        page = report.render_html(built) if parsed_args.format == "html" else ""
        with command.output(parsed_args.output) as stream:
            if page:
                stream.write(page)
            elif parsed_args.format == "json":
                command.dump(built, "json", stream)
            else:
                show(built, text.console(stream))
        return 0


def show(report: dict[str, Any], console: Console) -> None:
    """Write the report as text: every resource with both ids, and each of its fields."""
    migration = report["migration"]
    title = f"Report of migration {migration['id']}: {human.chosen(migration['selection'])}: "
    console.print(Text(title, style="bold") + text.styled(migration["state"]))
    console.print(Text(f"from {migration['source']}\nto   {migration['destination']}"))
    done = (
        f"{migration['created_count']} created, {migration['reused_count']} reused,"
        f" {human.size(migration['bytes'])} moved"
    )
    if migration["selection"].get("evacuate"):
        done = f"{migration['moved_count']} moved to other hosts"
    if migration["selection"].get("reassign"):
        done = human.count(sum(unit["state"] == "done" for unit in report["units"]), "unit") + " done"
    when = f"{human.moment(migration['created'])}, {human.duration(migration['seconds']) or 'running'}"
    console.print(Text(f"{when}; {done}"))
    for unit in report["units"]:
        if unit["downtime"] is not None or unit["error"]:
            _unit(unit, console)
    for resource in report["resources"]:
        console.print()
        _resource(resource, console)
    if report["not_carried"]:
        console.print(Text("\nNot carried", style="bold"))
    for item in report["not_carried"]:
        name = human.clean(item["name"] or item["id"])
        console.print(Text(f"  {item['type']} {name} ({item['id']}): {human.clean(item['reason'])}"))
    for one in report["left_over"]:
        console.print(Text(f"\nLeft over in the {one['cloud']}: {one['type']} {one['name']} ({one['id']})"))
    if report["notes"]:
        console.print(Text("\nNotes", style="bold"))
    for note in report["notes"]:
        console.print(Text(f"  {human.clean(note)}"))


def _unit(unit: dict[str, Any], console: Console) -> None:
    line = f"{human.clean(unit['title'])}: {unit['state']}"
    if unit["seconds"] is not None:
        line += f" in {human.duration(unit['seconds'])}"
    if unit["downtime"] is not None:
        line += f", down for {human.duration(unit['downtime'])}"
    if unit["error"]:
        line += f": {human.clean(unit['error'])}"
    console.print(Text(line))


def _resource(resource: dict[str, Any], console: Console) -> None:
    head = Text(f"{resource['type']} {human.clean(resource['name'] or '')}  ", style="bold")
    console.print(head + text.styled(resource["verdict"]))
    lines = [f"{resource['source_id']} -> {resource['destination_id'] or 'nothing'}"]
    if resource.get("reason"):
        lines.append(str(resource["reason"]))
    if data := resource["bytes"]:
        lines += [
            f"{human.size(data.get('size'))} ({data.get('size')} bytes)",
            f"sha512 source      {data.get('source_sha512') or 'not known'}",
            f"sha512 destination {data.get('destination_sha512') or 'not known'}",
        ]
    equal = [field["field"] for field in resource["fields"] if field["verdict"] == "equal"]
    if equal:
        lines.append(f"equal: {', '.join(equal)}")
    others = [field for field in resource["fields"] if field["verdict"] != "equal"]
    lines += [_field(field) for field in others if human.missed(field)]
    if small := [field["field"] for field in others if not human.missed(field)]:
        lines.append(f"of no worth outside the source: {', '.join(small)}")
    for line in lines:
        console.print(Text(f"  {human.clean(line)}"))


def _field(field: dict[str, Any]) -> str:
    """One line on a field that is not simply equal."""
    line = f"{field['verdict']}: {field['field']}: {human.value(field['source'], 80)}"
    if field["verdict"] != "not carried":
        line += f" -> {human.value(field['destination'], 80)}"
    return f"{line} ({field['reason']})" if field.get("reason") else line
