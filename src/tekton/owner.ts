import { list, record, text, type Untrusted } from "../kubernetes/untrusted.ts";

export interface Owner {
  name: string;
  uid: string;
}

/** The Tekton object of this kind that controls the other one, as that one says itself: whoever makes an object writes its owners. */
export function ownerOf(object: Untrusted, kind: "TaskRun" | "PipelineRun"): Owner | undefined {
  const owners = list(record(object["metadata"])["ownerReferences"]).map(record);
  const owner = owners.find(
    (each) =>
      each["controller"] === true && each["kind"] === kind && text(each["apiVersion"]).startsWith("tekton.dev/"),
  );
  const [name, uid] = [text(owner?.["name"]), text(owner?.["uid"])];
  return name === "" || uid === "" ? undefined : { name, uid };
}

export function uidOf(object: Untrusted): string {
  return text(record(object["metadata"])["uid"]);
}

/** What a PipelineRun's controller wrote down of its own TaskRuns. */
export function childrenOf(pipelineRun: Untrusted): { name: string; task: string }[] {
  const children = list(record(pipelineRun["status"])["childReferences"]).map(record);
  return children
    .filter((child) => child["kind"] === "TaskRun")
    .map((child) => ({ name: text(child["name"]), task: text(child["pipelineTaskName"]) }));
}
