/**
 * One environment of browser agents in AWS. `template.yaml` is this, synthesised; docs/aws-setup.md says how
 * to deploy it.
 */
import {
  type CfnCondition,
  CfnOutput,
  LegacyStackSynthesizer,
  Stack,
  Validations,
  type IStackSynthesizer,
} from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { addAgents } from './agents.ts';
import { ENVIRONMENT, sub } from './intrinsics.ts';
import { addKeys } from './keys.ts';
import { addParameters, type ConditionName } from './parameters.ts';
import { addRecordings } from './recordings.ts';
import { addSample } from './sample.ts';
import { addWatch } from './watch.ts';

/** What CDK's own check says of the template without need, by rule, and why it may. */
export const ACKNOWLEDGED: Record<string, string> = {
  W1030: 'The empty AlarmTopicArn is never used: HasAlarmTopic stands before it',
  W2509: 'ScriptSecrets says yes or no; it is no secret',
};

export class BrowserAgentStack extends Stack {
  /** @param environment for a CDK app that makes one stack per environment: the default of `EnvironmentName` */
  constructor(scope: Construct, id: string, options: { environment?: string } = {}) {
    super(scope, id, {
      description:
        'Local Browser Agent, one environment: activity, bucket for recordings, secret, parameters, permissions',
      // No bootstrap stack, no assets: `aws cloudformation deploy` needs this one file.
      synthesizer: new LegacyStackSynthesizer() as IStackSynthesizer,
      analyticsReporting: false,
    });
    this.templateOptions.templateFormatVersion = '2010-09-09';
    for (const [rule, reason] of Object.entries(ACKNOWLEDGED)) {
      Validations.of(this).acknowledge({ id: `CloudFormation-Validate::${rule}`, reason });
    }
    addParameters(this, options.environment);
    addRecordings(this);
    addAgents(this);
    addKeys(this);
    addWatch(this);
    addSample(this);
    this.#output('SetupCommand', 'What operators run', `local-browser-agent setup --env ${ENVIRONMENT}`);
    this.#output('ActivityArn', 'The Resource of Task states', '${Activity}');
    this.#output('BucketName', 'Where recordings are', '${Recordings}');
    this.#output('SecretArn', 'What setup reads', '${Credentials}');
    this.#output('AgentPolicyArn', 'For identities of your own', '${AgentPolicy}');
    this.#output('AgentRoleArn', 'The role of agents', '${AgentRole.Arn}', 'HasRole');
    this.#output('SampleArn', 'The state machine to try', '${Sample}', 'HasSample');
  }

  #output(id: string, description: string, value: string, condition?: ConditionName): void {
    const output = new CfnOutput(this, `${id}Output`, { value: sub(value), description });
    output.overrideLogicalId(id);
    if (condition !== undefined) output.condition = this.node.findChild(condition) as CfnCondition;
  }
}
