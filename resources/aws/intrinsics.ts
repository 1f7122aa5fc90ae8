/**
 * CloudFormation's functions with our names of parameters, conditions and resources in their types. The
 * stack is written with the plain resources of CloudFormation (CDK's L1), because every optional part hangs
 * on a condition, and so that every line of a policy is one that was written here.
 */
import { Fn, Token, type CfnResource, type IResolvable } from 'aws-cdk-lib/core';
import type { ConditionName, ParameterName } from './parameters.ts';

/** How names of `agent/aws/arn.ts` take the environment and the account in a template. */
export const ENVIRONMENT = '${EnvironmentName}';
export const ACCOUNT = '${AWS::AccountId}';

/** `${EnvironmentName}`, `${AWS::AccountId}`, `${LogicalId}`, `${LogicalId.Arn}` in a text are replaced at deployment. */
export function sub(text: string): string {
  const alone = /^\$\{([\w:]+)\}$/.exec(text)?.[1];
  return alone === undefined ? Fn.sub(text) : Fn.ref(alone);
}

export function parameter(name: ParameterName): string {
  return Fn.ref(name);
}

/** @param otherwise absent: the property, entry or statement is not there */
export function when(name: ConditionName, value: unknown, otherwise: unknown = NOTHING): IResolvable {
  return Fn.conditionIf(name, value, otherwise);
}

export function textWhen(name: ConditionName, value: string, otherwise: string): string {
  return Token.asString(when(name, value, otherwise));
}

const NOTHING = { Ref: 'AWS::NoValue' };

/** What alarms do: tell the topic, where one is named. */
export function alarmActions(): IResolvable {
  return when('HasAlarmTopic', [parameter('AlarmTopicArn')]);
}

/** Makes a resource hang on a condition. */
export function only<T extends CfnResource>(name: ConditionName, resource: T): T {
  resource.addOverride('Condition', name);
  return resource;
}
